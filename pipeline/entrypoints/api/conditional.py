"""Answers that somebody has already are not sent again: ETag and If-None-Match.

Source:
    RFC 9110, sections 8.8.3 and 13.1.2. The tags are weak: a compressed answer has the one of the plain answer.
"""

import hashlib
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TAGGED = ("/api/", "/feed.")
_TAG = re.compile(r'(?:W/)?("[^"]*")')


class Conditional:
    """Stands before the application: tags what it answers to GET, and says 304 to whoever has it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["method"] != "GET" or not scope["path"].startswith(TAGGED):
            await self._app(scope, receive, send)
            return
        has = Headers(scope=scope).get("if-none-match", "")
        start: Message = {}

        async def tagged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            await send(_unless_had(start, message["body"], has))
            await send({**message, "body": b""} if _is_had(start) else message)

        await self._app(scope, receive, tagged)


def _unless_had(start: Message, body: bytes, has: str) -> Message:
    """The start of the answer with its tag; 304 when its tag is among those that they have."""
    if start["status"] != 200:
        return start
    headers = MutableHeaders(scope=start)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers["ETag"] = f"W/{tag}"
    if has.strip() == "*" or tag in _TAG.findall(has):
        start["status"] = 304
        del headers["content-length"], headers["content-type"]
    return start


def _is_had(start: Message) -> bool:
    return bool(start["status"] == 304)
