"""What polls may cost: the price that all are weighed by, shared by all processes."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, true, update

from pipeline.store.database import Database
from pipeline.store.tables import budgets, feed_states, feeds

_ONE = 1  # row


@dataclass(frozen=True, slots=True)
class Budget:
    """A price, and what was spent at it."""

    price: float
    since: datetime
    made: int  # requests by polls


class BudgetRows:
    """The table with the one row."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def read(self, now: datetime, first_price: float) -> Budget:
        """The price of now; begins with the first one."""
        async with self._db.read() as c:
            row = (await c.execute(select(budgets))).first()
        if row is not None:
            return Budget(row.price, row.since_at, row.made)
        values = {"id": _ONE, "price": first_price, "since_at": now, "made": 0}
        async with self._db.write() as c:
            await c.execute(self._db.insert(budgets).values(**values).on_conflict_do_nothing())
        return Budget(first_price, now, 0)

    async def change(self, before: Budget, price: float, now: datetime) -> None:
        """Begin anew at another price, unless another process was first."""
        is_same = budgets.c.since_at == before.since
        async with self._db.write() as c:
            await c.execute(update(budgets).where(is_same).values(price=price, since_at=now, made=0))

    async def feeds(self) -> int:
        """How many feeds share the budget: those that are polled, and have no interval of their own."""
        is_ours = feeds.c.enabled.is_(true()) & feeds.c.interval_s.is_(None) & feed_states.c.gone.is_not(true())
        async with self._db.read() as c:
            query = select(func.count()).select_from(feeds.join(feed_states)).where(is_ours)
            return int((await c.execute(query)).scalar_one())
