"""Fixtures: the application over a filled store, asked without a network."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import httpx
import pytest

from pipeline.clock import Clock
from pipeline.compute import Compute
from pipeline.engine import Engine
from pipeline.entrypoints.api import application
from pipeline.entrypoints.filling import Fillings
from pipeline.settings import Settings
from pipeline.settings.sections import ApiSettings
from pipeline.stages.classify import Classifier
from pipeline.stages.schedule import PollPolicy
from pipeline.store import Store
from pipeline.web import Web
from tests import make
from tests.conftest import StillClock
from tests.store.filling import fill

TOKEN = "a-token-that-nobody-guesses"
Serve = Callable[..., Awaitable[httpx.AsyncClient]]


def health() -> dict[str, Any]:
    return {"tick_age_s": 1.0, "ticks": {"poll/done": 3}, "unexpected_errors": 0}


def engine_of(store: Store, clock: Clock) -> Engine:
    """An engine that can only read and write the store."""
    nothing: Any = None
    return Engine(
        store, cast(Web, nothing), cast(Compute, nothing), cast(Classifier, nothing), clock, cast(PollPolicy, nothing)
    )


@asynccontextmanager
async def asking(store: Store, clock: StillClock, **api: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application with these settings of [api]."""
    engine, settings = engine_of(store, clock), Settings(api=ApiSettings(**api))
    app = application(engine, settings, health, Fillings(engine, settings))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8317") as client:
        yield client


@pytest.fixture
async def serve(store: Store, clock: StillClock) -> AsyncIterator[Serve]:
    """Makes clients of the application over the store: `await serve(token=TOKEN)`."""
    async with AsyncExitStack() as stack:

        async def make_client(**api: Any) -> httpx.AsyncClient:
            return await stack.enter_async_context(asking(store, clock, **api))

        yield make_client


@pytest.fixture
async def filled(store: Store) -> Store:
    """Five articles: one of tags, one of other news, one hostile."""
    articles = [
        make.article(1, title="Bombers over Jeju"),
        make.article(2, title="Frigate sold", text=make.text(2)),
        make.article(3, title="Flower show opens", text=make.text(3)),
        make.article(4, title="<script>alert(1)</script> & \x01 friends", text=make.text(4)),
        make.article(5, title="Drill ends", text=make.text(5)),
    ]
    verdicts = [make.tagged(), make.verdict(), make.other(), make.verdict(), make.verdict()]
    await fill(store, articles, verdicts)
    return store
