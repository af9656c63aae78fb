"""How the server treats connections: who sends no whole request in time is left, and there are only so many at once."""

import asyncio
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 200  # the daemon needs its files and sockets for other things too


class Connection(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, which by itself waits for ever for the rest of a request."""

    patience_s = 15.0  # a request may take this long to arrive, and at most twice as long
    _seen: object = None  # the request that was being read when we looked last
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop looking."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def _look_later(self) -> None:
        self._look = self.loop.call_later(self.patience_s, self._leave_if_late)

    def _leave_if_late(self) -> None:
        is_arriving = self.cycle is None or self.cycle.response_complete or self.cycle.more_body
        if is_arriving and self.cycle is self._seen:
            self.transport.abort()
            return
        self._seen = self.cycle
        self._look_later()


def config_of(application: ASGIApp, **more: Any) -> uvicorn.Config:
    """Uvicorn's settings for an application."""
    usual: dict[str, Any] = {"http": Connection, "ws": "none", "log_config": None, "lifespan": "off"}
    return uvicorn.Config(application, server_header=False, **{**usual, **more})
