"""Whether our own network works: what the last requests say of it, host by host."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from pipeline.clock import Clock
from pipeline.errors import StageError
from pipeline.model import FeedState
from pipeline.stages import health
from pipeline.store import OutageRows

PROBE_EVERY = timedelta(minutes=1)  # while it is down, one request finds out whether it still is
MEMORY = timedelta(minutes=5)  # an answer that is older says nothing of now

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Seen:
    at: datetime
    has_answered: bool
    undo: tuple[int, FeedState] | None  # a feed, and what it goes back to if this was no failure of its own


class Network:
    """Takes in how requests ended; when most hosts fall silent at once, their failures are ours."""

    def __init__(self, rows: OutageRows, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock
        self._last: OrderedDict[str, _Seen] = OrderedDict()  # by host, the latest last
        self._probed_at: datetime | None = None  # None while it works
        self._is_recorded: bool | None = None  # as down; None: nobody knows what an earlier process left

    @property
    def is_down(self) -> bool:
        """Whether it seems to be down."""
        return self._probed_at is not None

    def allowance(self, wanted: int) -> int:
        """How much work may start now: while it is down, one piece in a while."""
        if self._probed_at is None:
            return wanted
        return min(wanted, 1) if self._clock.now() - self._probed_at >= PROBE_EVERY else 0

    def started(self) -> None:
        """Work that was allowed has started."""
        if self._probed_at is not None:
            self._probed_at = self._clock.now()

    async def answered(self, host: str) -> None:
        """A host has answered, whatever it said."""
        if self._probed_at is not None:
            self._last.clear()
            self._probed_at = None
            log.warning("the network is back")
        self._note(host, has_answered=True, undo=None)
        if self._is_recorded is not False:
            before, self._is_recorded = self._is_recorded, False  # at once: others answer meanwhile
            try:
                await self._rows.end()
            except BaseException:
                self._is_recorded = before
                raise

    async def failed(self, host: str, error: StageError, undo: tuple[int, FeedState] | None = None) -> None:
        """A request has failed; `undo` is what its feed goes back to, should that be our own network's doing."""
        if not health.is_unreached(error):
            return
        self._note(host, has_answered=False, undo=undo)
        if self._probed_at is None and health.is_network_down([seen.has_answered for seen in self._last.values()]):
            now = self._probed_at = self._clock.now()
            log.error("the network is down: nothing is counted, polling slows down", hosts=len(self._last))
            self._is_recorded = True
            await self._rows.begin(now, [seen.undo for seen in self._last.values() if seen.undo])

    def is_ours(self, error: StageError) -> bool:
        """Whether a failure counts for nothing, because our network is down."""
        return self.is_down and health.is_unreached(error)

    def _note(self, host: str, *, has_answered: bool, undo: tuple[int, FeedState] | None) -> None:
        now = self._clock.now()
        self._last[host] = _Seen(now, has_answered, undo)
        self._last.move_to_end(host)
        while len(self._last) > health.RECENT_HOSTS or next(iter(self._last.values())).at < now - MEMORY:
            self._last.popitem(last=False)
