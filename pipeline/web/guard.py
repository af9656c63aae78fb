"""The address guard: where a connection may go, decided on the address that is then connected to.

It stands where the HTTP library opens a TCP connection. A name is resolved once, every address is judged, and the
socket goes to a judged one: redirects pass it like first requests, and a name that changes its answer gains nothing.
TLS and the Host header keep the URL's name.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from pipeline.errors import UsageError
from pipeline.web.failure import Failed, Reason
from pipeline.web.http import httpcore
from pipeline.web.sockets import connect

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

ANYWHERE = ("0.0.0.0/0", "::/0")  # as what the user opened: all but the metadata addresses
CONNECT_SECONDS = 10.0  # for each address tried
MOST_ADDRESSES = 3  # tried of one name
RESOLVER_THREADS = 128  # the system's resolver blocks; slow names must not hold up the others

# IANA special-purpose address registries: all of IPv4 that is not globally reachable unicast.
_SPECIAL_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: retired, and carries any IPv4 address
        "3fff::/20",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
# Where clouds keep what opens their accounts. No setting opens these.
_METADATA = tuple(
    ip_network(network)
    for network in (
        "169.254.0.0/16",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "fd00:ec2::/32",
        "fd20:ce::254/128",
        "fe80::/10",
    )
)


class AddressPolicy:
    """Public addresses, and those that the user opened."""

    def __init__(self, allow_private: Iterable[str] = (), setting: str = "web.allow_private") -> None:
        self._names: set[str] = set()
        self._networks: list[Network] = []
        for item in allow_private:
            try:
                self._networks.append(ip_network(item.strip("[]"), strict=False))
            except ValueError as e:
                if "/" in item or ":" in item:
                    raise UsageError(f"{setting}: {item!r} is neither a host name nor a CIDR") from e
                self._names.add(_name(item))

    def permits(self, address: Address, host: str) -> bool:
        """Whether a connection to the address may be opened for a URL of this host."""
        plain = _carried(address)
        if any(_within(form, _METADATA) for form in {address, plain}):
            return False
        return is_public(address) or _name(host) in self._names or _within(plain, self._networks)


def is_public(address: Address) -> bool:
    """Whether an address is globally reachable unicast, whatever it is wrapped in.

    Source:
        IANA IPv4 and IPv6 special-purpose address registries (RFC 6890); RFC 6052 for NAT64.
    """
    plain = _carried(address)
    if isinstance(plain, IPv4Address):
        return not _within(plain, _SPECIAL_V4)
    return plain in _GLOBAL_V6 and not _within(plain, _SPECIAL_V6)


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to permitted addresses only."""

    def __init__(self, policy: AddressPolicy, resolve: Resolve | None = None) -> None:
        self._policy = policy
        self._resolve = resolve or self._ask_system
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="resolve")

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve once, judge every address, connect to the first permitted one that answers.

        Raises:
            Failed: the name has no address (`dns`), or none that is permitted (`address-refused`).
        """
        last: Exception = httpcore.ConnectError(f"no address of {host}")
        for address in await self._permitted(host, port):
            try:
                seconds = timeout or CONNECT_SECONDS
                return await connect(address, port, seconds)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as e:
                last = e
        raise last

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never: no URL of the web leads to one."""
        raise Failed(Reason.ADDRESS_REFUSED, path)

    def close(self) -> None:
        """Let go of the threads that resolve names."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _permitted(self, host: str, port: int) -> list[str]:
        try:
            found = [_address(text) for text in await self._resolve(host, port)]
        except (OSError, ValueError) as e:  # no such name, no answer, or a name that DNS cannot carry
            raise Failed(Reason.DNS, f"{host}: {e}") from e
        if not found:
            raise Failed(Reason.DNS, f"{host} has no address")
        permitted = [address for address in found if self._policy.permits(address, host)]
        if not permitted:
            raise Failed(Reason.ADDRESS_REFUSED, f"{host} is at {', '.join(map(str, found))}")
        permitted.sort(key=lambda address: address.version)  # IPv4 first: broken IPv6 is the commoner fault
        return [str(address) for address in permitted[:MOST_ADDRESSES]]

    async def _ask_system(self, host: str, port: int) -> Sequence[str]:
        if _is_literal(host):
            return [host]
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _getaddrinfo, host, port)
        return list(dict.fromkeys(found))


def _getaddrinfo(host: str, port: int) -> list[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _is_literal(host: str) -> bool:
    """Whether a host is an address as it is usually written; in any other spelling it is the system's to read."""
    try:
        _address(host)
    except ValueError:
        return False
    return True


_address = lru_cache(maxsize=1024)(ip_address)  # is asked twice for a host that is one


def _carried(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped or NAT64 one, else the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(address.packed[-4:])
    return address


def _within(address: Address, networks: Iterable[Network]) -> bool:
    """Whether it is in one of the networks, of which only those of its version are looked at."""
    version = address.version
    return any(network.version == version and address in network for network in networks)


def _name(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()
