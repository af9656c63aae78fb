"""Whether this machine has a network: told by how requests end, kept for `status`; what that did to feeds is undone."""

import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import structlog
from sqlalchemy import delete, func, insert, select, update

from pipeline.errors import StageError
from pipeline.model import FeedState
from pipeline.stages import network
from pipeline.stages.network import Network, Silence
from pipeline.store.database import Database
from pipeline.store.states import is_claimed, state_values
from pipeline.store.tables import events, feed_states, outages

HEALTH = "feed-health"
FAILED, UNCOUNTED = "poll-failed", "poll-uncounted"  # a failure, and one that was our network's

log = structlog.get_logger()


class OutageRows:
    """What this process knows of our network, and the table of machines that have none now."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._machine = platform.node()
        self._network = Network()
        self._is_recorded: bool | None = None  # as down; None: nobody knows what an earlier process left

    @property
    def is_down(self) -> bool:
        """Whether our network seems to be down."""
        return self._network.is_down

    def is_ours(self, error: StageError) -> bool:
        """Whether a failure counts for nothing, because our network is down."""
        return self.is_down and network.is_unreached(error)

    def allowance(self, wanted: int, now: datetime) -> int:
        """How many requests may be made now: while it is down, one in a while."""
        return network.allowance(self._network, wanted, now)

    @contextmanager
    def asking(self, now: datetime) -> Iterator[None]:
        """While a request is on its way."""
        self._network = network.asked(self._network, now)
        try:
            yield
        finally:
            self._network = network.ended(self._network)

    async def answered(self, now: datetime) -> None:
        """A host has answered, whatever it said."""
        if self.is_down:
            log.warning("the network is back")
        self._network = network.answered(self._network, now)
        if self._is_recorded is not False:
            before, self._is_recorded = self._is_recorded, False  # at once: others answer meanwhile
            try:
                async with self._db.write() as c:
                    await c.execute(delete(outages).where(outages.c.machine == self._machine))
            except BaseException:
                self._is_recorded = before
                raise

    async def failed(self, error: StageError, silence: Silence, now: datetime) -> None:
        """A request has failed; `silence` is what that says if nothing came back."""
        if not network.is_unreached(error):
            if network.was_asked(error):
                await self.answered(now)
            return
        was_down = self.is_down
        self._network = network.fell_silent(self._network, silence, now)
        if self.is_down and not was_down:
            log.error("the network is down: nothing is counted, polling slows down", sites=len(self._network.silent))
            self._is_recorded = True
            await self._begin(now, self._network.undo)

    async def _begin(self, now: datetime, undo: Sequence[tuple[int, FeedState]]) -> None:
        """Note that this machine has no network, and undo what that did to feeds until it was noticed."""
        async with self._db.write() as c:
            statement = self._db.insert(outages).values(machine=self._machine, since_at=now)
            await c.execute(statement.on_conflict_do_nothing())
        await self.undo(now, undo)

    async def undo(self, now: datetime, undo: Sequence[tuple[int, FeedState]]) -> None:
        """Give feeds whose first failure was our network's the state that they had before."""
        async with self._db.write() as c:
            for feed_id, state in undo:
                is_first = (feed_states.c.feed_id == feed_id) & (feed_states.c.failures == 1)
                restored = update(feed_states).where(is_first, ~is_claimed())
                if (await c.execute(restored.values(**state_values(state)))).rowcount:
                    detail = {"was": "failing", "now": state.health.value, "why": "our network was down"}
                    await c.execute(insert(events).values(at=now, kind=HEALTH, feed_id=feed_id, detail=detail))
                    is_failure = (events.c.feed_id == feed_id) & (events.c.kind == FAILED)
                    newest = select(func.max(events.c.id)).where(is_failure).scalar_subquery()
                    await c.execute(update(events).where(events.c.id == newest).values(kind=UNCOUNTED))
