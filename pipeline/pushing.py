"""Hubs: a feed's hub is asked to push it, what it pushes becomes entries, and meanwhile the feed is polled seldom.

A delivery ends where a poll ends, in `store.feeds.finish`; it holds no claim of its feed, so the feed's state is left
to polls. It is answered when its entries are stored: what a death in between loses, the hub sends again.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from pipeline import urls
from pipeline.engine import Engine
from pipeline.errors import StageError
from pipeline.model import Feed, PushState, Subscription
from pipeline.stages import choose, poll, push, schedule
from pipeline.store import FeedRow, PollEnding

AT_ONCE = 2  # hubs that are asked
TICK_S = 5.0
_NO_RUN = 0
log = structlog.get_logger()


class HubDuty:
    """Subscription -> request: ask the hubs that are due; they answer at our callback."""

    name = "hubs"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def claim(self, limit: int, busy: Collection[str]) -> Sequence[Subscription]:
        """Take subscriptions that are due; none when hubs cannot reach us."""
        e = self._engine
        return await e.store.subscriptions.claim(e.callback, e.clock.now(), limit) if e.callback else ()

    async def next_claim_at(self) -> None:
        """What is due can be claimed at once."""

    def host(self, piece: Subscription) -> str:
        """None: many feeds have one hub, and wait in line for it."""
        return ""

    async def do(self, piece: Subscription) -> None:
        """Ask a hub; what went wrong is remembered, and the claim has said already when it is asked again."""
        try:
            response = await self._engine.web.send(push.request_for(piece))
            reason = None if 200 <= response.status < 300 else f"http-{response.status}"
        except StageError as error:
            reason = error.reason
        if reason:
            await self._engine.store.subscriptions.note(piece.id, reason)
        asked = "unsubscribe" if piece.state is PushState.LEAVING else "subscribe"
        log.info("hub asked", hub=piece.hub.url, topic=piece.hub.topic, to=asked, reason=reason)

    async def give_back(self, piece: Subscription, error: Exception) -> None:
        """It is due again anyway."""


async def heard(engine: Engine, feed: Feed, polled: poll.Polled) -> tuple[poll.Polled, Subscription | None]:
    """A poll's result, its next poll late if a hub is trusted; and that hub's subscription. The hub named is asked."""
    if engine.callback is None:
        return polled, None
    rows, now = engine.store.subscriptions, engine.clock.now()
    known = await rows.of_feed(feed.id)
    is_said = polled.hub is not None or not polled.not_modified
    if is_said and not (known.hub.is_like(polled.hub) if known else polled.hub is None):
        await rows.offer(feed.id, polled.hub, engine.callback, now)
        return polled, None
    if known is None or not known.is_trusted(now):
        return polled, None
    late = schedule.while_pushed(feed, polled.state, now, urls.host_key(known.hub.url))
    return replace(polled, state=late), replace(known, usual_poll_at=polled.state.next_poll_at)


async def deliver(
    engine: Engine, known: Subscription, row: FeedRow, headers: Sequence[tuple[str, str]], body: bytes
) -> str | None:
    """Store the entries of a delivery.

    Returns:
        Why it was ignored, and always will be; None: it was good.

    Raises:
        StoreError: the database is out of reach.
    """
    given, now = dict(headers), engine.clock.now()
    reason = None
    if not push.is_signed(known.secret, body, given.get("x-hub-signature")):
        reason = "bad-signature"
    elif not push.is_about(known.hub.topic, headers):
        reason = "other-topic"
    else:
        try:
            await _take_in(engine, row, body, given.get("content-type"), now)
        except StageError as error:
            reason = error.reason
    if reason:
        log.warning("delivery ignored", feed=row.feed.url, hub=known.hub.url, reason=reason)
        await engine.store.subscriptions.note(known.id, reason)
    else:
        await engine.store.subscriptions.delivered(known.id, now)
    return reason


async def _take_in(engine: Engine, row: FeedRow, body: bytes, content_type: str | None, now: datetime) -> None:
    feed = row.feed
    entries = await engine.compute(poll.read_delivery, feed, body, content_type, now)
    unwanted = frozenset(entry.id for entry in entries if not choose.wanted(feed, entry))
    ending = PollEnding(feed, _NO_RUN, row.state, now, entries, unwanted, was_asked=False)
    new = await engine.store.feeds.finish(ending)
    log.info("pushed", feed=feed.url, entries=len(entries), new=new)
