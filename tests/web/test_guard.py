"""The address guard: what is public, what the user may open, and that nothing else is ever connected to."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageError, WebError
from pipeline.web.failure import Failed, Reason
from pipeline.web.guard import AddressPolicy, GuardedBackend, is_public
from tests.web.internet import a_web, feed, moved, reply, serving

NOT_PUBLIC = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.9.9",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "0.0.0.0",
    "0.1.2.3",
    "100.64.1.1",
    "100.127.255.255",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%2",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001:81b::200e",
    "2001:200::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]
METADATA = [
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::a9fe:a9fe",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_global_unicast_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses())
def test_what_is_public_is_global_by_the_standard_library_too(address: IPv4Address | IPv6Address) -> None:
    mapped = getattr(address, "ipv4_mapped", None) or address
    assert not is_public(address) or mapped.is_global


@pytest.mark.parametrize("address", METADATA)
@pytest.mark.parametrize("allowed", ["metadata.example", "0.0.0.0/0", "::/0", "169.254.0.0/16", "fd00::/8"])
def test_nothing_opens_a_metadata_address(address: str, allowed: str) -> None:
    assert not AddressPolicy((allowed, "0.0.0.0/0", "::/0")).permits(ip_address(address), "metadata.example")


@pytest.mark.parametrize(
    ("allowed", "address", "host", "permitted"),
    [
        ("127.0.0.0/8", "127.0.0.1", "x.example", True),
        ("127.0.0.1", "127.0.0.1", "x.example", True),
        ("127.0.0.1", "127.0.0.2", "x.example", False),
        ("10.1.0.0/16", "10.1.2.3", "x.example", True),
        ("10.1.0.0/16", "10.2.0.1", "x.example", False),
        ("10.1.0.0/16", "::ffff:10.1.2.3", "x.example", True),
        ("10.1.0.0/16", "2002:a01:203::", "x.example", False),
        ("10.1.2.3/16", "10.1.9.9", "x.example", True),
        ("::1", "::1", "[::1]", True),
        ("[::1]", "::1", "localhost", True),
        ("fd00:1::/32", "fd00:1::5", "x.example", True),
        ("localhost", "127.0.0.1", "localhost", True),
        ("LocalHost.", "::1", "localhost.", True),
        ("intranet.example", "192.168.3.4", "intranet.example", True),
        ("intranet.example", "192.168.3.4", "www.intranet.example", False),
        ("127.0.0.0/8", "8.8.8.8", "x.example", True),
    ],
)
def test_the_user_opens_hosts_and_networks(allowed: str, address: str, host: str, permitted: bool) -> None:
    assert AddressPolicy((allowed,)).permits(ip_address(address), host) is permitted


@pytest.mark.parametrize("item", ["10.0.0.0/33", "localhost:8080", "http://intranet", "1::2::3"])
def test_what_is_neither_host_nor_network_is_a_usage_error(item: str) -> None:
    with pytest.raises(UsageError, match=r"web\.allow_private"):
        AddressPolicy((item,))


LITERALS = [
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "0",
    "0.0.0.0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::]",
    "[64:ff9b::7f00:1]",
]


@pytest.mark.parametrize("host", LITERALS)
async def test_no_spelling_of_loopback_is_connected_to(host: str) -> None:
    async with serving(reply(b"secret")) as site, a_web(allow_private=(), resolve=None) as web:
        with pytest.raises(WebError) as caught:
            await web.send(feed(site.url(host=host)))
        assert caught.value.reason in {"address-refused", "bad-url"}
        assert not caught.value.retryable
        assert site.connections == 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "0", "localhost", "::1", "169.254.169.254"]
)
async def test_the_guard_itself_refuses_every_spelling(host: str) -> None:
    guard = GuardedBackend(AddressPolicy())
    with pytest.raises(Failed) as caught:
        await guard.connect_tcp(host, 80)
    assert caught.value.reason is Reason.ADDRESS_REFUSED
    guard.close()


async def test_unix_sockets_are_refused() -> None:
    guard = GuardedBackend(AddressPolicy(("0.0.0.0/0", "::/0")))
    with pytest.raises(Failed, match="address-refused"):
        await guard.connect_unix_socket("/run/docker.sock")
    guard.close()


async def test_a_redirect_to_a_refused_address_is_not_followed() -> None:
    async with serving(reply(b"secret")) as inside, serving(moved(inside.url(host="inside.example"))) as outside:

        async def resolve(host: str, port: int) -> Sequence[str]:
            return ["127.0.0.1"] if host == "outside.example" else ["::ffff:127.0.0.1"]

        async with a_web(allow_private=("outside.example",), resolve=resolve) as web:
            with pytest.raises(WebError) as caught:
                await web.send(feed(outside.url(host="outside.example")))
        assert caught.value.reason == "address-refused"
        assert (outside.connections, inside.connections) == (1, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "127.1", "2130706433"])
async def test_a_redirect_to_a_literal_address_passes_the_guard_too(host: str) -> None:
    async with serving(reply(b"secret")) as inside, serving(moved(inside.url(host=host))) as outside:
        async with a_web(allow_private=("localhost",), resolve=None) as web:
            with pytest.raises(WebError) as caught:
                await web.send(feed(outside.url(host="localhost")))
        assert caught.value.reason in {"address-refused", "bad-redirect"}
        assert (outside.connections, inside.connections) == (1, 0)


async def test_a_name_that_changes_its_answer_gains_nothing() -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    async with serving(reply(b"ok")) as site, a_web(resolve=rebinding) as web:
        assert (await web.send(feed(site.url()))).body == b"ok"
        assert asked == ["news.example"]  # once a connection: what was judged is what was connected to
        with pytest.raises(WebError) as caught:
            await web.send(feed(site.url()))
        assert caught.value.reason == "address-refused"
        assert site.connections == 1


async def test_of_many_addresses_only_a_permitted_one_is_used() -> None:
    async def mixed(host: str, port: int) -> Sequence[str]:
        return ["10.0.0.1", "169.254.169.254", "::1", "127.0.0.1"]

    async with serving(reply(b"ok")) as site, a_web(resolve=mixed) as web:
        assert (await web.send(feed(site.url()))).body == b"ok"


async def test_a_name_without_any_address_is_refused() -> None:
    async def nothing(host: str, port: int) -> Sequence[str]:
        return []

    async with a_web(resolve=nothing) as web:
        with pytest.raises(WebError) as caught:
            await web.send(feed("http://news.example/"))
        assert caught.value.reason == "dns"


async def test_a_name_that_does_not_resolve_is_worth_another_try() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("name or service not known")

    async with a_web(resolve=unknown) as web:
        with pytest.raises(WebError) as caught:
            await web.send(feed("http://nowhere.example/"))
        assert (caught.value.reason, caught.value.retryable) == ("dns", True)


async def test_the_system_resolver_knows_localhost() -> None:
    async with serving(reply(b"ok")) as site, a_web(resolve=None, allow_private=("localhost",)) as web:
        assert (await web.send(feed(site.url(host="localhost")))).body == b"ok"


async def test_a_closed_port_is_worth_another_try() -> None:
    async with serving(reply(b"ok")) as site:
        url = site.url()
    async with a_web() as web:
        with pytest.raises(WebError) as caught:
            await web.send(feed(url))
        assert (caught.value.reason, caught.value.retryable) == ("connect", True)


async def test_the_next_address_is_tried_when_the_first_does_not_answer() -> None:
    async def two(host: str, port: int) -> Sequence[str]:
        return ["::1", "127.0.0.1"]

    try:
        server = serving(reply(b"ok"), host="::1")
        site = await server.__aenter__()
    except OSError:
        pytest.skip("no IPv6 here")
    async with a_web(resolve=two, allow_private=("127.0.0.1", "::1")) as web:
        assert (await web.send(feed(site.url()))).body == b"ok"
    await server.__aexit__(None, None, None)
