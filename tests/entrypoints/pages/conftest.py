"""Fixtures: a store with news of all sorts, hostile ones among them, and clients and browsers of its pages."""

import asyncio
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.clock import SystemClock
from pipeline.entrypoints.api import application
from pipeline.entrypoints.backfill import Asked, begin
from pipeline.entrypoints.filling import Fillings
from pipeline.model import Article, Evidence
from pipeline.settings import Settings
from pipeline.store import Store
from tests import make
from tests.conftest import StillClock
from tests.entrypoints.api.conftest import asking, engine_of, health
from tests.store import filling
from tests.store.filling import fill

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
ARABIC = "B-52H قاذفة فوق جزيرة جيجو"
PIECES = 12  # that a page arrives in, for who asks so
HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "'><svg/onload=document.title='owned'>",
    "javascript:document.title='owned'",
    "</title><iframe srcdoc=\"<script>parent.document.title='owned'</script>\">",
    "{{ 7 * 7 }} {% raw %} \x02mark\x03",
)


async def fill_with_news(store: Store, more: Sequence[Article] = ()) -> None:
    """Six hostile articles, one that is tagged, one of other news, one that is doubtful; more that are defense."""
    texts = [f"{make.text(n)}\n{payload} over Jeju" for n, payload in enumerate(HOSTILE, 10)]
    hostile = [
        make.article(n, title=payload, text=text, authors=(payload,))
        for n, (payload, text) in enumerate(zip(HOSTILE, texts, strict=True), 10)
    ]
    mean = make.tagged(entities=((HOSTILE[0], "system"),), evidence=(Evidence(HOSTILE[1], 0, 6, "text", 1.0),))
    news = [
        make.article(1, title="Bombers over Jeju"),
        make.article(2, title="Flower show opens", text=make.text(2)),
        make.article(3, title="Shipyard strike goes on", text=make.text(3)),
    ]
    judged = [make.tagged(), make.other(), make.verdict(score=0.52, needs_review=True)]
    verdicts = [*judged, *[mean] * len(hostile), *[make.verdict()] * len(more)]
    await fill(store, [*news, *hostile, *more], verdicts, feed=make.feed(title=HOSTILE[1]))


@pytest.fixture
async def filled(store: Store) -> Store:
    await fill_with_news(store)
    return store


@pytest.fixture
async def client(filled: Store, clock: StillClock) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(filled, clock) as asked:
        yield asked


def wait_for_keys(page: Any) -> None:
    """Until the keys of what is shown answer."""
    page.wait_for_load_state()  # scripts have run
    page.wait_for_selector("main:not([aria-busy])")


def in_pieces(app: ASGIApp) -> ASGIApp:
    """The same pages; those asked for with a header `in-pieces` arrive as over a slow line."""

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_slowly(message: Message) -> None:
            body = message.get("body", b"")
            for start in range(0, len(body), len(body) // PIECES + 1):
                piece = body[start : start + len(body) // PIECES + 1]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(0.04)
            await send({**message, "body": b""} if body else message)

        is_slow = any(name == b"in-pieces" for name, _ in scope["headers"]) and "." not in scope["path"]
        await app(scope, receive, send_slowly if is_slow else send)

    return slow


@contextmanager
def serving(path: Path, fill: Callable[[Store], Awaitable[None]]) -> Iterator[str]:
    """Where the pages of a new store are served, by a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        async with Store(f"sqlite:///{path}") as store:
            await fill(store)
            engine, settings = engine_of(store, SystemClock()), Settings()
            app = application(engine, settings, health, Fillings(engine, settings))
            servers.append(uvicorn.Server(uvicorn.Config(in_pieces(app), log_config=None, lifespan="off")))
            await servers[0].serve(sockets=[listener])

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    servers[0].should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def address(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where news of all sorts are shown, and a backfill."""
    path = tmp_path_factory.mktemp("browser") / "news.db"
    shutil.copyfile(migrated_file, path)
    arabic = make.article(4, title=ARABIC, text="\n".join([f"{ARABIC}."] * 9), lang="ar")

    async def fill_all(store: Store) -> None:
        await fill_with_news(store, [arabic])
        wanted = Asked(via="urls", inputs=("list.txt",))
        await begin(engine_of(store, SystemClock()), Settings(), wanted, {"list.txt": "https://one.example/a"})

    with serving(path, fill_all) as served:
        yield served


@pytest.fixture
def queue(migrated_file: Path, tmp_path: Path) -> Iterator[str]:
    """Where four doubtful articles wait for a person, some of them long, one with a title in one piece."""
    shutil.copyfile(migrated_file, tmp_path / "queue.db")
    news = [make.article(n, text=f"{make.text(n)}\n" * 9) for n in range(1, 4)]
    news.append(make.article(4, title=400 * "A", text=make.text(4)))
    feed = make.feed(title=30 * "Feed")
    doubtful = [make.verdict(score=0.5 + n / 100, needs_review=True) for n in range(1, 5)]
    with serving(tmp_path / "queue.db", lambda store: filling.fill(store, news, doubtful, feed=feed)) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(ARGS))
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A page that tolerates no error."""
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    context.close()
    assert said == []
