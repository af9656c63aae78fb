"""The newsroom's WebSub hub, at every site's address: takes subscriptions, verifies them, and pushes feeds, signed.

Source:
    WebSub, W3C Recommendation of 23 January 2018.
"""

import asyncio
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

PATH = "/hub"
LONGEST_LEASE_S = 864_000


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who wants a topic."""

    callback: str
    secret: str


class Hub:
    """Who wants what, and how to tell them."""

    def __init__(self) -> None:
        self.subscribers: dict[tuple[str, str], Subscriber] = {}  # by topic and callback
        self.lease_s: int | None = None  # that it gives at most; None: what is asked for
        self.verifies = True
        self.refusal: str | None = None  # why it denies every subscription
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, form: bytes) -> int:
        """The status for a request; what it leads to happens after the answer."""
        asked = dict(parse_qsl(form.decode(errors="replace")))
        if not {"hub.callback", "hub.mode", "hub.topic"} <= asked.keys():
            return 400
        task = asyncio.ensure_future(self._settle(asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return 202

    async def push(self, topic: str, body: bytes, headers: tuple[tuple[str, str], ...], method: str) -> list[int]:
        """Send a topic's content to all who want it; returns how they answered, 0: not at all."""
        statuses = []
        for to in [one for (wanted, _), one in self.subscribers.items() if wanted == topic]:
            signature = f"{method}={hmac.digest(to.secret.encode(), body, method).hex()}"
            statuses.append((await ask("POST", to.callback, (*headers, ("X-Hub-Signature", signature)), body))[0])
        return statuses

    async def _settle(self, asked: dict[str, str]) -> None:
        mode, topic, callback = asked["hub.mode"], asked["hub.topic"], asked["hub.callback"]
        if self.refusal is not None:
            await ask("GET", _with(callback, {"hub.mode": "denied", "hub.topic": topic, "hub.reason": self.refusal}))
            return
        if not self.verifies:
            return
        lease = min(int(asked.get("hub.lease_seconds", LONGEST_LEASE_S)), self.lease_s or LONGEST_LEASE_S)
        challenge = secrets.token_urlsafe(12)
        said = {"hub.mode": mode, "hub.topic": topic, "hub.challenge": challenge, "hub.lease_seconds": str(lease)}
        status, echo = await ask("GET", _with(callback, said))
        if status // 100 != 2 or echo.decode() != challenge:
            return
        if mode == "subscribe":
            self.subscribers[topic, callback] = Subscriber(callback, asked.get("hub.secret", ""))
        else:
            self.subscribers.pop((topic, callback), None)


async def ask(method: str, url: str, headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> tuple[int, bytes]:
    """One request on a connection of its own: status and body; 0: nobody answers."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    usual = (("Host", parts.netloc), ("Content-Length", str(len(body))), ("Connection", "close"))
    head = "\r\n".join([f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in (*usual, *headers))])
    with suppress(OSError, ValueError, IndexError):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        try:
            writer.write(f"{head}\r\n\r\n".encode() + body)
            answer, _, rest = (await reader.read()).partition(b"\r\n\r\n")
            return int(answer.split()[1]), rest
        finally:
            writer.close()
    return 0, b""


def _with(url: str, query: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
