"""Subscriptions at hubs: which are wanted, which are due, and what hubs and polls said of them."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, insert, literal, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.model import Hub, PushState, Subscription
from pipeline.stages import push
from pipeline.stages.schedule import PUSHED
from pipeline.store.database import Database
from pipeline.store.push_tables import subscriptions
from pipeline.store.tables import events, feed_states, feeds

ACTIVE, DENIED, LAPSED, LEFT = "push-active", "push-denied", "push-lapsed", "push-left"
CHANGES = (ACTIVE, DENIED, LAPSED, LEFT)  # the events of a feed's subscriptions
_SECRET_BYTES = 32  # of what nobody guesses

_s = subscriptions.c
_is_wanted = _s.state != PushState.LEAVING.value


class SubscriptionRows:
    """The table of subscriptions."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def wanted(self) -> dict[int, Subscription]:
        """Those that are not being ended, by feed."""
        async with self._db.read() as c:
            rows = (await c.execute(select(subscriptions).where(_is_wanted))).all()
        return {row.feed_id: _subscription(row) for row in rows}

    async def of_feed(self, feed_id: int) -> Subscription | None:
        """The one that is wanted for a feed."""
        return await self._one((_s.feed_id == feed_id) & _is_wanted)

    async def of_token(self, token: str) -> Subscription | None:
        """The one whose address ends so."""
        return await self._one(_s.token == token)

    async def offer(self, feed_id: int, hub: Hub | None, base: str, now: datetime) -> None:
        """From now on this hub, or else the next one of its feed, is asked to push to an address below `base`.

        None: the feed names none. A hub that is asked already stays the one, if it is still named.
        """
        is_other = (_s.feed_id == feed_id) & _is_wanted
        if hub:
            is_other &= or_(_s.hub.not_in(hub.urls), _s.topic != hub.topic)
        async with self._db.write() as c:
            await _leave(c, is_other, now)
            if hub is None:
                return
            is_kept = (_s.feed_id == feed_id) & _is_wanted
            if asked := (await c.execute(select(_s.hub).where(is_kept))).scalar():
                others = [url for url in (hub.url, *hub.others) if url != asked]
                await c.execute(update(subscriptions).where(is_kept).values(others=others))
                return
            token, secret = (secrets.token_urlsafe(_SECRET_BYTES) for _ in range(2))
            new = {
                "feed_id": feed_id,
                "hub": hub.url,
                "topic": hub.topic,
                "others": hub.others,
                "address": base + token,
                "token": token,
                "secret": secret,
                "state": PushState.WAITING.value,
                "due_at": now,
                "attempts": 0,
            }
            await c.execute(self._db.insert(subscriptions).values(new).on_conflict_do_nothing())

    async def claim(self, base: str, now: datetime, limit: int) -> tuple[Subscription, ...]:
        """Take those whose hub is to be asked; unless the hub answers, they are due again later and later."""
        due = select(subscriptions).where(_s.due_at <= now).order_by(_s.due_at).limit(limit)
        claimed = []
        async with self._db.write() as c:
            await _settle(c, base, now)
            for row in (await c.execute(due.with_for_update(skip_locked=True))).all():
                if (known := _subscription(row)).state is PushState.LEAVING and _is_over(known):
                    await c.execute(delete(subscriptions).where(_s.id == known.id))
                    continue
                claimed.append(push.asked(known, now))
                await _keep(c, claimed[-1])
        return tuple(claimed)

    async def verified(self, after: Subscription, now: datetime) -> None:
        """A hub verified one."""
        async with self._db.write() as c:
            was = (await c.execute(select(_s.state).where(_s.id == after.id))).scalar()
            await _keep(c, after)
            if was != after.state:
                await _record(c, now, ACTIVE, after, until=f"{after.lease_until:%Y-%m-%dT%H:%M:%SZ}")

    async def denied(self, after: Subscription, now: datetime) -> None:
        """A hub denied one: its feed is polled as usual."""
        async with self._db.write() as c:
            await _keep(c, after)
            await _poll_as_usual(c, after)
            await _record(c, now, DENIED, after, reason=after.reason)

    async def left(self, gone: Subscription, now: datetime) -> None:
        """A hub verified that one is no longer wanted."""
        async with self._db.write() as c:
            await c.execute(delete(subscriptions).where(_s.id == gone.id))
            await _record(c, now, LEFT, gone)

    async def note(self, key: int, reason: str) -> None:
        """Remember what went wrong."""
        await self._set(key, {"reason": reason[: push.LONGEST_REASON]})

    async def delivered(self, key: int, now: datetime) -> None:
        """A hub pushed something that was good."""
        await self._set(key, {"pushed_at": now, "reason": None})

    async def polled(self, pushed: Subscription, now: datetime, *, missed: bool) -> None:
        """A feed whose hub is trusted was polled; what it missed ends the trust, until the hub pushes again."""
        values = {"usual_poll_at": pushed.usual_poll_at, **({"missed_at": now} if missed else {})}
        async with self._db.write() as c:
            await c.execute(update(subscriptions).where(_s.id == pushed.id).values(**values))
            if missed:
                await _poll_as_usual(c, pushed)

    async def by_state(self) -> dict[str, int]:
        """How many feeds are pushed, wait for their hub, or were denied."""
        query = select(_s.state, func.count()).where(_is_wanted).group_by(_s.state)
        async with self._db.read() as c:
            return {row[0]: row[1] for row in await c.execute(query)}

    async def _one(self, condition: ColumnElement[bool]) -> Subscription | None:
        async with self._db.read() as c:
            row = (await c.execute(select(subscriptions).where(condition))).first()
        return None if row is None else _subscription(row)

    async def _set(self, key: int, values: dict[str, Any]) -> None:
        async with self._db.write() as c:
            await c.execute(update(subscriptions).where(_s.id == key).values(**values))


async def _settle(c: AsyncConnection, base: str, now: datetime) -> None:
    """What time and people changed: leases that ended, feeds that are not polled, another address of ours."""
    is_polled = exists().where(
        feeds.c.id == _s.feed_id, feeds.c.enabled.is_(true()), feeds.c.removed_at.is_(None),
        feed_states.c.feed_id == feeds.c.id, feed_states.c.gone.is_not(true()),
    )  # fmt: skip
    await _leave(c, _is_wanted & ~is_polled, now)
    has_lapsed = (_s.state == PushState.ACTIVE.value) & (_s.lease_until <= now)
    for known in map(_subscription, (await c.execute(select(subscriptions).where(has_lapsed))).all()):
        await c.execute(update(subscriptions).where(_s.id == known.id).values(state=PushState.WAITING.value))
        await _poll_as_usual(c, known)
        await _record(c, now, LAPSED, known)
    address = literal(base) + _s.token
    again = {"address": address, "state": PushState.WAITING.value, "due_at": now, "attempts": 0}
    await c.execute(update(subscriptions).where(_is_wanted, _s.address != address).values(**again))


async def _leave(c: AsyncConnection, condition: ColumnElement[bool], now: datetime) -> None:
    ending = {"state": PushState.LEAVING.value, "due_at": now, "attempts": 0}
    left = await c.execute(update(subscriptions).where(condition).values(**ending).returning(subscriptions))
    for known in map(_subscription, left.all()):
        await _poll_as_usual(c, known)


async def _poll_as_usual(c: AsyncConnection, pushed: Subscription) -> None:
    """Take back that the next poll is late because a hub pushes."""
    if pushed.usual_poll_at is None:
        return
    its = feed_states.c.feed_id == pushed.feed_id
    is_late = feed_states.c.next_poll_reason.startswith(PUSHED, autoescape=True)
    is_later = feed_states.c.next_poll_at > pushed.usual_poll_at
    usual = {"next_poll_at": pushed.usual_poll_at, "next_poll_reason": "its hub does not push"}
    await c.execute(update(feed_states).where(its, is_late, is_later).values(**usual))


async def _keep(c: AsyncConnection, known: Subscription) -> None:
    values = {
        "hub": known.hub.url,
        "others": known.hub.others,
        "state": known.state.value,
        "due_at": known.due_at,
        "attempts": known.attempts,
        "lease_until": known.lease_until,
        "reason": known.reason,
    }
    await c.execute(update(subscriptions).where(_s.id == known.id).values(**values))


async def _record(c: AsyncConnection, now: datetime, kind: str, known: Subscription, **detail: Any) -> None:
    told = {"hub": known.hub.url, **detail}
    await c.execute(insert(events).values(at=now, kind=kind, feed_id=known.feed_id, detail=told))


def _is_over(leaving: Subscription) -> bool:
    """Whether its hub need not be told: it never pushed, or does not listen."""
    return leaving.lease_until is None or leaving.attempts >= push.GOODBYES


def _subscription(row: Any) -> Subscription:
    return Subscription(
        id=row.id,
        feed_id=row.feed_id,
        hub=Hub(row.hub, row.topic, tuple(row.others)),
        address=row.address,
        secret=row.secret,
        state=PushState(row.state),
        due_at=row.due_at,
        attempts=row.attempts,
        lease_until=row.lease_until,
        pushed_at=row.pushed_at,
        missed_at=row.missed_at,
        usual_poll_at=row.usual_poll_at,
        reason=row.reason,
    )
