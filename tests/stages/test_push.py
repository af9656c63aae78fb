"""Hubs: which one a feed names, when it is asked, and what of it is believed."""

import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Feed, FeedState, Hub, PushState, RequestKind, Response, Subscription
from pipeline.stages import poll, push, schedule
from pipeline.stages.schedule import PollPolicy

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FEED = Feed(id=1, url="https://example.com/feed.xml", title="Example", lang="nl")
HUB = Hub("https://hub.example/", "https://example.com/feed.xml")
POLICY = PollPolicy(min_interval=10 * MINUTE, max_interval=DAY, interval=HOUR)


def subscription(**changes: Any) -> Subscription:
    return replace(Subscription(1, 1, HUB, "https://us.example/websub/token", "secret"), **changes)


def answer(*links: str, body: bytes = b"", status: int = 200) -> Response:
    return Response(FEED.url, status, tuple(("link", link) for link in links), body, NOW)


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        pytest.param((), (), None, id="none"),
        pytest.param((), (("hub", "https://a/"),), Hub("https://a/", FEED.url), id="body without self"),
        pytest.param((), (("hub", "https://a/"), ("self", "https://s/")), Hub("https://a/", "https://s/"), id="body"),
        pytest.param(
            ('<https://h/>; rel="hub", </f>; rel=SELF',), (("hub", "https://a/"), ("self", "https://s/")),
            Hub("https://h/", "https://example.com/f", ("https://a/",)), id="headers go first",
        ),
        pytest.param(("<https://h/>; title=x; REL='hub'",), (), None, id="odd quotes name nothing"),
        pytest.param(('<//h/>; rel="next hub"',), (), Hub("https://h/", FEED.url), id="several relations"),
        pytest.param(('<javascript:x>; rel="hub"', "<https://h/>"), (), None, id="no address, no relation"),
        pytest.param(
            ('<https://b/>; rel="hub"',), (("hub", "https://a/"), ("hub", "https://b/")),
            Hub("https://b/", FEED.url, ("https://a/",)), id="several hubs",
        ),
    ],
)  # fmt: skip
def test_the_hub_is_named_by_headers_or_else_by_the_body(
    headers: tuple[str, ...], body: tuple[tuple[str, str], ...], expected: Hub | None
) -> None:
    assert push.hub_of(FEED, answer(*headers), body) == expected


ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><id>x</id>{}<link rel="hub" href="https://h/"/>
<link rel="self" href="https://s/"/><entry><id>1</id><title>one</title><link href="https://e/1"/></entry></feed>"""
JSON = b"""{"version": "https://jsonfeed.org/version/1.1", "title": "x", "feed_url": "https://s/",
"hubs": [{"type": "WebSub", "url": "https://h/"}], "items": []}"""


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(ATOM.format("").encode(), id="strict"),
        pytest.param(("<!DOCTYPE feed>" + ATOM.format("")).encode(), id="feedparser"),
        pytest.param(JSON, id="json"),
    ],
)
def test_a_poll_says_who_could_push_the_feed(body: bytes) -> None:
    assert poll.read(FEED, FeedState(), answer(body=body), POLICY).hub == Hub("https://h/", "https://s/")


def test_the_same_hubs_in_another_order_are_the_same() -> None:
    hub = Hub("https://a/", "https://s/", ("https://b/",))
    assert hub.is_like(Hub("https://b/", "https://s/", ("https://a/",)))
    for other in (None, Hub("https://a/", "https://s/"), replace(hub, topic="https://t/")):
        assert not hub.is_like(other)


def test_a_hub_that_says_no_or_never_verifies_gives_its_turn_to_the_next_one_of_the_feed() -> None:
    asked, turns = subscription(hub=Hub("a", "s", ("b", "c"))), []
    for _ in range(8):
        asked = push.asked(asked, NOW)
        turns.append(asked.hub.url)
    assert "".join(turns) == "aabbccaa"
    denied = push.asked(push.denied(subscription(hub=Hub("a", "s", ("b",))), "", NOW), NOW)
    assert (denied.hub, denied.state) == (Hub("b", "s", ("a",)), PushState.WAITING)
    renewed = push.asked(subscription(hub=Hub("a", "s", ("b",)), state=PushState.ACTIVE, attempts=2), NOW)
    assert renewed.hub.url == "a"


def test_an_unchanged_feed_says_nothing_of_hubs() -> None:
    polled = poll.read(FEED, FeedState(etag='"x"'), answer(status=304), POLICY)
    assert (polled.hub, polled.not_modified) == (None, True)


def test_a_delivery_holds_entries_as_a_poll_would_bring_them() -> None:
    (entry,) = poll.read_delivery(FEED, ATOM.format("").encode(), "application/atom+xml", NOW)
    assert (entry.id, entry.url, entry.lang) == ("1", "https://e/1", "nl")


def test_a_hub_is_told_topic_callback_lease_and_secret() -> None:
    request = push.request_for(subscription())
    asked = {name: value for name, (value,) in parse_qs((request.form or b"").decode()).items()}
    assert (request.url, request.kind) == (HUB.url, RequestKind.HUB)
    assert asked == {
        "hub.callback": "https://us.example/websub/token",
        "hub.mode": "subscribe",
        "hub.topic": HUB.topic,
        "hub.lease_seconds": "864000",
        "hub.secret": "secret",
    }
    assert "secret" not in repr(request) + repr(subscription())


def test_a_hub_that_need_not_push_is_told_no_secret() -> None:
    form = push.request_for(subscription(state=PushState.LEAVING)).form or b""
    assert (b"hub.mode=unsubscribe" in form, b"secret" in form) == (True, False)


def test_a_hub_that_never_verifies_is_asked_later_and_later_once_a_day_in_the_end() -> None:
    one, waits = subscription(), []
    for _ in range(12):
        one = push.asked(one, NOW)
        assert one.due_at
        waits.append(one.due_at - NOW)
    assert 10 * MINUTE <= waits[0] <= 11 * MINUTE
    assert 20 * MINUTE <= waits[1] <= 22 * MINUTE
    assert DAY <= waits[-1] <= 1.1 * DAY
    assert one.state is PushState.WAITING


@pytest.mark.parametrize(
    ("named", "lease"),
    [
        pytest.param("86400", DAY, id="named"),
        pytest.param(None, 10 * DAY, id="not named"),
        pytest.param("-5", 10 * DAY, id="absurd"),
        pytest.param("1", 10 * MINUTE, id="too short to be counted on"),
        pytest.param("9999999999", 90 * DAY, id="for ever"),
    ],
)
def test_a_lease_is_renewed_before_it_ends(named: str | None, lease: timedelta) -> None:
    one = push.verified(push.asked(subscription(reason="http-503"), NOW), named, NOW)
    assert (one.state, one.lease_until, one.attempts, one.reason) == (PushState.ACTIVE, NOW + lease, 0, None)
    assert one.due_at == NOW + 0.75 * lease


def test_a_denial_ends_the_lease_and_the_hub_is_asked_again_in_a_week() -> None:
    one = push.denied(push.verified(subscription(), None, NOW), "no such feed" + "!" * 500, NOW)
    assert (one.state, one.lease_until, one.due_at) == (PushState.DENIED, None, NOW + 7 * DAY)
    assert str(one.reason).startswith("denied: no such feed!")
    assert len(str(one.reason)) < 250
    assert push.denied(one, "", NOW).reason == "denied"
    assert push.asked(one, NOW).state is PushState.WAITING


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512", "SHA256"])
def test_whoever_knows_the_secret_can_sign(method: str) -> None:
    digest = hmac.digest(b"secret", b"body", method.lower()).hex()
    assert push.is_signed("secret", b"body", f"{method}={digest}")
    assert push.is_signed("secret", b"body", f"{method}={digest.upper()}")
    assert not push.is_signed("secret", b"other", f"{method}={digest}")
    assert not push.is_signed("other", b"body", f"{method}={digest}")


@given(st.none() | st.text() | st.sampled_from(["sha1=", "md5=5d41402abc4b2a76b9719d911017c592", "=", "sha256"]))
def test_nothing_else_is_a_signature(signature: str | None) -> None:
    assert not push.is_signed("secret", b"body", signature)


def test_a_delivery_of_another_topic_is_not_ours() -> None:
    assert push.is_about(HUB.topic, (("link", f'<{HUB.topic}>; rel="self"'),))
    assert push.is_about(HUB.topic, (("link", '<https://hub.example/>; rel="hub"'),))
    assert not push.is_about(HUB.topic, (("link", '<https://example.com/other>; rel="self"'),))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, True, id="it promised and pushed"),
        pytest.param({"pushed_at": None}, False, id="it never pushed"),
        pytest.param({"lease_until": NOW}, False, id="its lease ended"),
        pytest.param({"state": PushState.WAITING}, False, id="not verified"),
        pytest.param({"missed_at": NOW - MINUTE}, False, id="it kept something back"),
        pytest.param({"missed_at": NOW - DAY}, True, id="it pushed again since"),
    ],
)
def test_a_hub_is_trusted_as_long_as_it_pushes(changes: dict[str, Any], expected: bool) -> None:
    good = {"state": PushState.ACTIVE, "lease_until": NOW + HOUR, "pushed_at": NOW - HOUR}
    assert subscription(**(good | changes)).is_trusted(NOW) is expected


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        pytest.param(10 * MINUTE, 80 * MINUTE, id="eight times as late"),
        pytest.param(HOUR, 6 * HOUR, id="six hours at most"),
        pytest.param(7 * HOUR, 7 * HOUR, id="what is later anyway stays"),
        pytest.param(None, None, id="never"),
    ],
)
def test_a_feed_that_is_pushed_is_polled_seldom(planned: timedelta | None, expected: timedelta | None) -> None:
    state = FeedState(next_poll_at=None if planned is None else NOW + planned, next_poll_reason="interval")
    late = schedule.while_pushed(FEED, state, NOW, "hub.example:443")
    assert late.next_poll_at == (None if expected is None else NOW + expected)
    assert late.next_poll_reason == ("pushed by hub.example:443, else interval" if planned != expected else "interval")
