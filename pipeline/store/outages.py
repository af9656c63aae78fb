"""Times at which a machine has no network: kept for `status`, and undone is what they did to feeds."""

import platform
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, update

from pipeline.model import FeedState
from pipeline.store.database import Database
from pipeline.store.states import state_values
from pipeline.store.tables import events, feed_states, outages

HEALTH = "feed-health"


class OutageRows:
    """The table of machines that have no network now."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._machine = platform.node()

    async def begin(self, now: datetime, undo: Sequence[tuple[int, FeedState]]) -> None:
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
                restored = update(feed_states).where(is_first, feed_states.c.run_id.is_(None))
                if (await c.execute(restored.values(**state_values(state)))).rowcount:
                    detail = {"was": "failing", "now": state.health.value, "why": "our network was down"}
                    await c.execute(insert(events).values(at=now, kind=HEALTH, feed_id=feed_id, detail=detail))

    async def end(self) -> None:
        """This machine has a network."""
        async with self._db.write() as c:
            await c.execute(delete(outages).where(outages.c.machine == self._machine))
