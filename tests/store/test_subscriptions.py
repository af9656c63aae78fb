"""Subscriptions: what is due, what time and people change, and how the polls of a feed follow its hub."""

from dataclasses import replace
from datetime import timedelta

from pipeline.model import Gap, Hub, PushState, Subscription
from pipeline.stages import push
from pipeline.store import PollEnding, Store
from tests import make
from tests.make import AT

BASE = "https://us.example/websub/"
HUB = Hub("https://hub.example/", "https://feed1.example/rss")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def offered(store: Store) -> int:
    """The id of a feed whose hub is to be asked."""
    (feed,) = await store.feeds.add([make.feed()], AT)
    await store.subscriptions.offer(feed.id, HUB, BASE, AT)
    return feed.id


async def active(store: Store) -> Subscription:
    """A subscription of a day that was verified, whose hub pushed, and whose feed is polled late."""
    feed_id = await offered(store)
    (asked,) = await store.subscriptions.claim(BASE, AT, 9)
    await store.subscriptions.verified(push.verified(asked, "86400", AT), AT)
    await store.subscriptions.delivered(asked.id, AT)
    run = await store.runs.start("poll", AT)
    ((feed, _),) = await store.feeds.claim(run.id, AT, 1)
    state = make.state(next_poll_at=AT + 6 * HOUR, next_poll_reason="pushed by hub.example:443, else interval")
    await store.feeds.finish(PollEnding(feed, run.id, state, AT, is_pushed=True))
    known = await store.subscriptions.of_feed(feed_id)
    assert known
    await store.subscriptions.polled(replace(known, usual_poll_at=AT + HOUR), AT, missed=False)
    return replace(known, usual_poll_at=AT + HOUR)


async def next_poll(store: Store) -> timedelta:
    (row,) = await store.feeds.listing()
    assert row.state.next_poll_at
    return row.state.next_poll_at - AT


async def test_a_hub_is_asked_at_once_and_then_only_after_a_while_even_by_another_process(store: Store) -> None:
    await offered(store)
    (first,) = await store.subscriptions.claim(BASE, AT, 9)
    assert first.address.startswith(BASE)
    assert len(first.address) > len(BASE) + 40
    assert first.secret not in first.address
    assert await store.subscriptions.claim(BASE, AT + 9 * MINUTE, 9) == ()
    (again,) = await store.subscriptions.claim(BASE, AT + 12 * MINUTE, 9)
    assert (again.address, again.secret, again.attempts) == (first.address, first.secret, 2)


async def test_the_same_offer_again_changes_nothing_and_another_hub_takes_over(store: Store) -> None:
    known = await active(store)
    await store.subscriptions.offer(known.feed_id, HUB, BASE, AT)
    assert await store.subscriptions.of_feed(known.feed_id) == known
    other = Hub("https://other.example/", HUB.topic)
    await store.subscriptions.offer(known.feed_id, other, BASE, AT)
    leaving, new = sorted(await store.subscriptions.claim(BASE, AT, 9), key=lambda one: one.id)
    assert (leaving.state, leaving.hub, new.state, new.hub) == (PushState.LEAVING, HUB, PushState.WAITING, other)
    assert (await store.subscriptions.wanted())[known.feed_id] == new
    assert await next_poll(store) == HOUR


async def test_of_several_hubs_one_that_never_verifies_is_followed_by_the_next_and_the_feed_may_name_others(
    store: Store,
) -> None:
    feed_id = await offered(store)
    both = Hub(HUB.url, HUB.topic, ("https://next.example/",))
    await store.subscriptions.offer(feed_id, both, BASE, AT)
    for days in range(1, 4):
        (asked,) = await store.subscriptions.claim(BASE, AT + days * DAY, 9)
    assert asked.hub == Hub("https://next.example/", HUB.topic, (HUB.url,))
    await store.subscriptions.offer(feed_id, both, BASE, AT)
    known = await store.subscriptions.of_feed(feed_id)
    assert known
    assert (known.id, known.hub) == (asked.id, asked.hub)
    assert await store.subscriptions.by_state() == {"waiting": 1}


async def test_a_lease_that_nobody_renews_lapses_and_polls_are_as_usual(store: Store) -> None:
    known = await active(store)
    assert await next_poll(store) == 6 * HOUR
    (renewal,) = await store.subscriptions.claim(BASE, AT + 18 * HOUR, 9)
    assert renewal.state is PushState.ACTIVE
    await store.subscriptions.claim(BASE, AT + DAY, 9)
    after = await store.subscriptions.of_feed(known.feed_id)
    assert after
    assert after.state is PushState.WAITING
    assert await next_poll(store) == HOUR
    assert (await store.feeds.history(known.feed_id))[0].kind == "push-lapsed"


async def test_what_a_poll_finds_that_was_not_pushed_ends_the_trust_until_the_next_push(store: Store) -> None:
    known = await active(store)
    await store.subscriptions.polled(known, AT + MINUTE, missed=True)
    doubted = await store.subscriptions.of_feed(known.feed_id)
    assert await next_poll(store) == HOUR
    await store.subscriptions.delivered(known.id, AT + HOUR)
    trusted = await store.subscriptions.of_feed(known.feed_id)
    assert doubted
    assert trusted
    assert (doubted.is_trusted(AT + MINUTE), trusted.is_trusted(AT + HOUR)) == (False, True)


async def test_a_denial_makes_polls_usual(store: Store) -> None:
    known = await active(store)
    await store.subscriptions.denied(push.denied(known, "no", AT), AT)
    assert await next_poll(store) == HOUR


async def test_a_poll_that_waits_for_another_reason_stays_where_it_is(store: Store) -> None:
    known = await active(store)
    run = await store.runs.start("poll", AT)
    ((feed, _),) = await store.feeds.claim(run.id, AT + 6 * HOUR, 1)
    state = make.state(next_poll_at=AT + 9 * HOUR, next_poll_reason="http-503, 1 in a row")
    await store.feeds.finish(PollEnding(feed, run.id, state, AT))
    await store.subscriptions.denied(push.denied(known, "no", AT), AT)
    assert await next_poll(store) == 9 * HOUR


async def test_the_hub_of_a_removed_feed_is_told_three_times_at_most(store: Store) -> None:
    known = await active(store)
    await store.feeds.remove(known.feed_id, AT)
    told = [await store.subscriptions.claim(BASE, AT + n * DAY, 9) for n in range(5)]
    assert [[one.state for one in some] for some in told] == [[PushState.LEAVING]] * 3 + [[], []]
    assert await store.subscriptions.of_token(known.address.removeprefix(BASE)) is None


async def test_a_hub_that_never_verified_needs_no_goodbye(store: Store) -> None:
    await store.feeds.remove(await offered(store), AT)
    assert await store.subscriptions.claim(BASE, AT, 9) == ()


async def test_when_our_address_changes_hubs_are_asked_again(store: Store) -> None:
    known = await active(store)
    (moved,) = await store.subscriptions.claim("https://new.example/websub/", AT, 9)
    assert moved.address == known.address.replace("us.example", "new.example")
    assert moved.state is PushState.WAITING


async def test_entries_that_were_pushed_are_no_gap(store: Store) -> None:
    (feed,) = await store.feeds.add([make.feed()], AT)
    pushed = (make.entry(1), make.entry(2))
    await store.feeds.finish(PollEnding(feed, 0, make.state(), AT, pushed, was_asked=False))
    run = await store.runs.start("poll", AT)
    ((claimed, _),) = await store.feeds.claim(run.id, AT, 1)
    gap = Gap(AT - HOUR, AT)
    await store.feeds.finish(PollEnding(claimed, run.id, make.state(), AT, pushed, gap=gap, is_pushed=True))
    assert await store.gaps.of_feeds([feed.id]) == ()
