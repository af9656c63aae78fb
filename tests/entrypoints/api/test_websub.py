"""What hubs may say to us: verifications that we want, denials, deliveries that are signed; and what else they try."""

import gzip
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import httpx
import pytest

from pipeline.compute import Compute
from pipeline.entrypoints.api import application
from pipeline.entrypoints.filling import Fillings
from pipeline.model import Hub, PushState, Subscription
from pipeline.settings import Settings
from pipeline.settings.sections import ApiSettings
from pipeline.store import PollEnding, Store
from tests import make
from tests.conftest import StillClock
from tests.entrypoints.api.conftest import TOKEN, engine_of, health

BASE = "https://us.example/websub/"
HUB = Hub("https://hub.example/", "https://feed1.example/rss")
RSS = b"""<rss version="2.0"><channel><title>x</title><item><title>Pushed</title><guid>1</guid>
<link>https://site.example/1</link></item></channel></rss>"""


async def _at_once(work: Callable[..., Any], *arguments: Any) -> Any:
    return work(*arguments)


@asynccontextmanager
async def hub_side(store: Store, clock: StillClock) -> AsyncIterator[tuple[httpx.AsyncClient, Subscription]]:
    """A client that comes from outside, through a proxy, without any token; and a subscription that was asked for."""
    await store.feeds.add([make.feed()], clock.now())
    (row,) = await store.feeds.listing()
    await store.subscriptions.offer(row.feed.id, HUB, BASE, clock.now())
    (known,) = await store.subscriptions.claim(BASE, clock.now(), 10)
    engine = replace(engine_of(store, clock), compute=cast(Compute, _at_once), callback=BASE)
    settings = Settings(api=ApiSettings.model_validate({"token": TOKEN, "read_token": TOKEN}))
    app = application(engine, settings, health, Fillings(engine, settings))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, headers={"X-Forwarded-For": "192.0.2.1"}) as client:
        yield client, known


def question(mode: str = "subscribe", **changes: str) -> dict[str, str]:
    asked = {"mode": mode, "topic": HUB.topic, "challenge": "<b>42", "lease_seconds": "86400", **changes}
    return {f"hub.{name}": value for name, value in asked.items()}


def signed(known: Subscription, body: bytes = RSS, **more: str) -> dict[str, str]:
    return {"X-Hub-Signature": f"sha256={hmac.digest(known.secret.encode(), body, 'sha256').hex()}", **more}


async def entries(store: Store) -> int:
    (row,) = await store.feeds.listing()
    return len(await store.provenance.of_feed(row.feed.id, 10))


async def test_a_verification_of_what_we_want_is_echoed_and_begins_the_lease(store: Store, clock: StillClock) -> None:
    async with hub_side(store, clock) as (client, known):
        answer = await client.get(known.address, params=question())
        assert (answer.status_code, answer.text) == (200, "<b>42")
        assert answer.headers["content-type"].startswith("text/plain")
        after = await store.subscriptions.of_feed(known.feed_id)
    assert after
    assert (after.state, after.lease_until) == (PushState.ACTIVE, clock.now() + timedelta(days=1))
    assert (await store.feeds.history(known.feed_id))[0].kind == "push-active"


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(question(topic="https://else.example/rss"), id="another topic"),
        pytest.param(question("unsubscribe"), id="an end that we do not want"),
        pytest.param(question(challenge=""), id="no challenge"),
        pytest.param(question(challenge="x" * 3000), id="a page as challenge"),
        pytest.param(question("denied", topic="x"), id="a denial of something else"),
        pytest.param({}, id="nothing"),
    ],
)
async def test_nothing_else_is_confirmed(store: Store, clock: StillClock, asked: dict[str, str]) -> None:
    async with hub_side(store, clock) as (client, known):
        assert (await client.get(known.address, params=asked)).status_code == 404
        assert await store.subscriptions.of_feed(known.feed_id) == known


async def test_a_wrong_token_is_nobodys_and_opens_nothing(store: Store, clock: StillClock) -> None:
    async with hub_side(store, clock) as (client, known):
        assert (await client.get(BASE + "guess", params=question())).status_code == 404
        assert (await client.post(BASE + "guess", content=RSS, headers=signed(known))).status_code == 404
        assert (await client.get(BASE + "../api/v1/feeds")).status_code in (401, 404, 421)
        assert (await client.get("https://us.example/api/v1/feeds")).status_code == 421


async def test_a_denial_is_on_record(store: Store, clock: StillClock) -> None:
    async with hub_side(store, clock) as (client, known):
        await client.get(known.address, params=question())
        assert (await client.get(known.address, params=question("denied", reason="too many"))).status_code == 204
    after = await store.subscriptions.of_feed(known.feed_id)
    assert after
    assert (after.state, after.reason, after.lease_until) == (PushState.DENIED, "denied: too many", None)
    assert (await store.feeds.history(known.feed_id))[0].kind == "push-denied"


async def test_a_delivery_becomes_entries_and_the_same_again_nothing(store: Store, clock: StillClock) -> None:
    async with hub_side(store, clock) as (client, known):
        before = (await store.feeds.listing())[0].state
        for _ in range(2):
            link = f'<{HUB.url}>; rel="hub", <{HUB.topic}>; rel="self"'
            answer = await client.post(known.address, content=RSS, headers=signed(known, Link=link))
            assert answer.status_code == 202
            assert await entries(store) == 1
        after = await store.subscriptions.of_feed(known.feed_id)
    assert after
    assert after.pushed_at == clock.now()
    assert (await store.feeds.listing())[0].state == before


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        pytest.param(RSS, {"X-Hub-Signature": "sha256=" + "0" * 64}, "bad-signature", id="a wrong signature"),
        pytest.param(RSS, {"X-Hub-Signature": ""}, "bad-signature", id="none"),
        pytest.param(RSS, {"Link": '<https://e.example/>; rel="self"'}, "other-topic", id="another topic"),
        pytest.param(b"<p>no feed", {}, "malformed-xml", id="no feed"),
    ],
)
async def test_what_is_not_to_be_believed_is_accepted_and_ignored(
    store: Store, clock: StillClock, body: bytes, headers: dict[str, str], reason: str
) -> None:
    async with hub_side(store, clock) as (client, known):
        answer = await client.post(known.address, content=body, headers=signed(known, body) | headers)
        after = await store.subscriptions.of_feed(known.feed_id)
        assert (answer.status_code, await entries(store)) == (202, 0)
    assert after
    assert (after.reason, after.pushed_at) == (reason, None)


async def test_a_fat_body_is_refused_before_it_is_read_whole(store: Store, clock: StillClock) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    async with hub_side(store, clock) as (client, known):
        assert (await client.post(known.address, content=b" " * 2_000_000)).status_code == 413
        assert (await client.post(known.address, content=endless())).status_code == 413


async def test_a_compressed_body_is_not_unpacked(store: Store, clock: StillClock) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    async with hub_side(store, clock) as (client, known):
        headers = signed(known, bomb, **{"Content-Encoding": "gzip"})
        answer = await client.post(known.address, content=bomb, headers=headers)
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")


async def test_a_feed_that_is_paused_takes_nothing_and_its_hub_is_told(store: Store, clock: StillClock) -> None:
    async with hub_side(store, clock) as (client, known):
        await client.get(known.address, params=question())
        await store.feeds.set_enabled(known.feed_id, False, clock.now())
        assert (await client.post(known.address, content=RSS, headers=signed(known))).status_code == 410
        (leaving,) = await store.subscriptions.claim(BASE, clock.now(), 10)
        assert leaving.state is PushState.LEAVING
        assert (await client.get(known.address, params=question())).status_code == 404
        assert (await client.get(known.address, params=question("unsubscribe"))).text == "<b>42"
        assert (await client.get(known.address, params=question("unsubscribe"))).status_code == 404
    assert (await store.feeds.history(known.feed_id))[0].kind == "push-left"


async def test_a_delivery_while_the_feed_is_polled_leaves_the_poll_its_claim(store: Store, clock: StillClock) -> None:
    async with hub_side(store, clock) as (client, known):
        run = await store.runs.start("poll", clock.now())
        ((feed, _),) = await store.feeds.claim(run.id, clock.now(), 1)
        await client.post(known.address, content=RSS, headers=signed(known))
        state = make.state(etag='"1"')
        assert await store.feeds.finish(PollEnding(feed, run.id, state, clock.now())) == 0
    assert ((await store.feeds.listing())[0].state.etag, await entries(store)) == ('"1"', 1)
