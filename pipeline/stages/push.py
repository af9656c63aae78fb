"""Feed -> Hub -> Subscription -> Request: who pushes a feed, when a hub is asked to, and whether to believe a delivery.

What comes next is always due: a subscription that is asked for is due again at once after the time that the hub has to
verify it, later and later; one that is verified before its lease ends. So a hub that is down, one that never verifies
and a process that died between two steps are one case.

Source:
    WebSub, W3C Recommendation of 23 January 2018.
"""

import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from pipeline.backoff import jitter
from pipeline.model import Feed, Hub, PushState, Request, RequestKind, Response, Subscription
from pipeline.urls import absolute_url

LEASE = timedelta(days=10)  # asked for; the hub names its own
SHORTEST_LEASE, LONGEST_LEASE = timedelta(minutes=10), timedelta(days=90)  # that we count on, whatever it names
RENEWED_AFTER = 0.75  # of the lease
TO_VERIFY = timedelta(minutes=10)  # after which a hub is asked again; twice as long each time
TURN = 2  # times that a hub is asked before the next one of its feed is
MOST_HUBS = 4  # of a feed
LONGEST_WAIT = timedelta(days=1)
DENIED_FOR = timedelta(days=7)  # after a denial
GOODBYES = 3  # tries to tell a hub that it need not push any more; its lease ends anyway
SIGNATURES = frozenset({"sha1", "sha256", "sha384", "sha512"})
LONGEST_REASON = 200  # characters of a hub's own words

_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_RELATIONS = re.compile(r"(?:^|[;\s])rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)
_LARGEST_EXPONENT = 10


def hub_of(feed: Feed, response: Response, links: Iterable[tuple[str, str]]) -> Hub | None:
    """The hubs that an answer names: in its Link headers, then in its body; None: it names none.

    A feed that does not say what it is called there goes by its URL.
    """
    named = (*links_of(response.headers, response.url), *links)
    hubs = tuple(dict.fromkeys(url for relation, url in named if relation == "hub"))[:MOST_HUBS]
    topic = next((url for relation, url in named if relation == "self"), feed.url)
    return Hub(hubs[0], topic, hubs[1:]) if hubs else None


def links_of(headers: Iterable[tuple[str, str]], base: str) -> Iterator[tuple[str, str]]:
    """The relations and URLs of Link headers; names of headers are in lower case.

    Source:
        RFC 8288 section 3.
    """
    for target, parameters in _LINK.findall(",".join(value for name, value in headers if name == "link")):
        relations = _RELATIONS.search(parameters)
        url = absolute_url(target, base)
        for relation in (relations[1] or relations[2] or "").lower().split() if relations and url else ():
            yield relation, url or ""


def request_for(subscription: Subscription) -> Request:
    """Ask a hub to push, or to stop."""
    is_leaving = subscription.state is PushState.LEAVING
    form = {
        "hub.callback": subscription.address,
        "hub.mode": "unsubscribe" if is_leaving else "subscribe",
        "hub.topic": subscription.hub.topic,
    }
    if not is_leaving:
        form |= {"hub.lease_seconds": str(int(LEASE.total_seconds())), "hub.secret": subscription.secret}
    return Request(subscription.hub.url, RequestKind.HUB, form=urlencode(form).encode())


def asked(subscription: Subscription, now: datetime) -> Subscription:
    """The subscription from when its hub is asked: if it never answers, it is asked again then, or the next one is."""
    subscription = _next_turn(subscription)
    wait = min(TO_VERIFY * 2 ** min(subscription.attempts, _LARGEST_EXPONENT), LONGEST_WAIT)
    spread = 1 + abs(jitter(subscription.address, subscription.attempts)) / 10
    state = PushState.WAITING if subscription.state is PushState.DENIED else subscription.state
    return replace(subscription, state=state, attempts=subscription.attempts + 1, due_at=now + wait * spread)


def _next_turn(subscription: Subscription) -> Subscription:
    """The hub after one that said no, or that was asked often enough; after the last comes the first."""
    hub, state, attempts = subscription.hub, subscription.state, subscription.attempts
    has_failed = state is PushState.DENIED or (state is PushState.WAITING and attempts > 0 and attempts % TURN == 0)
    if not (hub.others and has_failed):
        return subscription
    first, *rest = (*hub.others, hub.url)
    return replace(subscription, hub=Hub(first, hub.topic, tuple(rest)))


def verified(subscription: Subscription, lease_seconds: str | None, now: datetime) -> Subscription:
    """The hub has verified that we want it; a lease that it does not name is the one that we asked for."""
    is_named = lease_seconds is not None and re.fullmatch("[0-9]{1,10}", lease_seconds)
    lease = timedelta(seconds=int(lease_seconds or 0)) if is_named else LEASE
    lease = min(max(lease, SHORTEST_LEASE), LONGEST_LEASE)
    due_at = now + lease * RENEWED_AFTER
    return replace(
        subscription, state=PushState.ACTIVE, attempts=0, lease_until=now + lease, due_at=due_at, reason=None
    )


def denied(subscription: Subscription, reason: str, now: datetime) -> Subscription:
    """The hub does not push, or does so no longer."""
    said = f"denied: {reason[:LONGEST_REASON]}" if reason else "denied"
    return replace(
        subscription, state=PushState.DENIED, lease_until=None, attempts=0, due_at=now + DENIED_FOR, reason=said
    )


def is_signed(secret: str, body: bytes, signature: str | None) -> bool:
    """Whether whoever sent these bytes knows the secret; X-Hub-Signature is `method=hexadecimal`."""
    method, _, digest = (signature or "").strip().partition("=")
    if method.lower() not in SIGNATURES:
        return False
    expected = hmac.digest(secret.encode(), body, method.lower()).hex()
    return hmac.compare_digest(expected.encode(), digest.lower().encode())


def is_about(topic: str, headers: Iterable[tuple[str, str]]) -> bool:
    """Whether a delivery says that it is of this topic, or does not say of which."""
    named = [url for relation, url in links_of(headers, topic) if relation == "self"]
    return not named or topic in named
