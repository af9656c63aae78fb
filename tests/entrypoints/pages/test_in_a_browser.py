"""The pages in a real browser: scripts, keys, contrast and names, hostile news, phones."""

import asyncio
import shutil
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.clock import SystemClock
from pipeline.entrypoints.api import application
from pipeline.entrypoints.filling import Fillings
from pipeline.settings import Settings
from pipeline.store import Store
from tests import make
from tests.entrypoints.api.conftest import engine_of, health
from tests.entrypoints.pages.conftest import fill_with_news
from tests.store import filling

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
playwright.expect.set_options(timeout=30_000)  # machines are slow at times
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
ARGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
AXE = Path(__file__).parent / "vendor/axe.min.js"
LARGEST = 150_000  # bytes of a page with all that it loads
SHIFTS = """() => new Promise(told => {
    let moved = 0
    new PerformanceObserver(seen => {
        for (const shift of seen.getEntries()) moved += shift.hadRecentInput ? 0 : shift.value
    }).observe({type: "layout-shift", buffered: true})
    setTimeout(() => told(moved), 200)
})"""
LOADED = """["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
    .map(entry => [entry.name, entry.initiatorType, entry.transferSize])"""
ARABIC = "B-52H قاذفة فوق جزيرة جيجو"
RIGHTMOST = """line => {
    const words = document.createTreeWalker(line, NodeFilter.SHOW_TEXT).nextNode(), range = new Range()
    const left = at => (range.setStart(words, at), range.setEnd(words, at + 1), range.getBoundingClientRect().left)
    return left(0) > left(words.length - 1)
}"""  # whether a line begins at its right
AT_ONCE = """() => new MutationObserver(() => {
    for (const key of "nn") document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}))
}).observe(document.querySelector("main"), {childList: true})"""  # keys, as soon as something else is shown
PLACES = ("/", "/search?q=jeju", "/review", "/feeds", "/feeds/1", "/backfill", "/status", "/countries", "/countries/KR")
PIECES = 12  # that a page arrives in, for who asks so


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


def wait_for_keys(page: Any) -> None:
    """Until the keys of what is shown answer."""
    page.wait_for_load_state()  # scripts have run
    page.wait_for_selector("main:not([aria-busy])")


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
    """Where news of all sorts are shown."""
    path = tmp_path_factory.mktemp("browser") / "news.db"
    shutil.copyfile(migrated_file, path)
    arabic = make.article(4, title=ARABIC, text="\n".join([f"{ARABIC}."] * 9), lang="ar")
    with serving(path, lambda store: fill_with_news(store, [arabic])) as served:
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(page: Any, scheme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    places = list(PLACES)
    for place in places:
        page.goto(place)
        if place == "/":
            places.append(page.locator("[data-open]").first.get_attribute("href"))
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes[0].html.slice(0, 200)))")
        assert (place, found) == (place, [])
        assert (place, page.evaluate("document.documentElement.scrollWidth") <= width) == (place, True)


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_moves_as_a_page_loads_and_all_of_it_is_small_and_ours(browser: Any, address: str, width: int) -> None:
    for place in PLACES:
        context = browser.new_context(base_url=address, viewport={"width": width, "height": 900})  # nothing is cached
        page = context.new_page()
        page.goto(place)
        moved, loaded = page.evaluate(SHIFTS), page.evaluate(LOADED)
        fonts = page.evaluate("document.fonts.size")
        context.close()
        assert (place, moved, fonts) == (place, 0, 0)
        assert {kind for _, kind, _ in loaded} <= {"navigation", "link", "script"}
        assert all(name.startswith(address) for name, _, _ in loaded)
        assert 0 < sum(size for _, _, size in loaded) < LARGEST


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_moves_as_a_page_arrives_in_pieces(browser: Any, address: str, width: int) -> None:
    for place in PLACES:
        size = {"width": width, "height": 900}
        context = browser.new_context(base_url=address, viewport=size, extra_http_headers={"in-pieces": "1"})
        page = context.new_page()
        page.goto(place)
        moved, painted = page.evaluate(SHIFTS), page.evaluate("performance.getEntriesByType('paint').length")
        context.close()
        assert (place, moved) == (place, 0)
        assert painted > 0


def test_hostile_news_do_nothing(page: Any) -> None:
    page.goto("/search?q=jeju")
    ways = [link.get_attribute("href") for link in page.locator("[data-open]").all()]
    for way in ("/", "/feeds", *ways):
        page.goto(way)
        assert page.title() != "owned"
        assert page.locator("iframe, img, script:not([src])").count() == 0


def test_the_keys_lead_through_the_news_and_into_one(page: Any) -> None:
    page.goto("/search")
    titles = page.locator("[data-open]").all_inner_texts()
    page.keyboard.press("Escape")  # out of the box for words
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.innerText") == titles[1]
    page.keyboard.press("o")
    page.wait_for_url("**/articles/*")
    page.keyboard.press("/")
    page.keyboard.type("bombers")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=bombers*")


def test_results_follow_the_words_as_they_are_typed(page: Any) -> None:
    page.goto("/search")
    page.get_by_label("Words").fill("flower")
    playwright.expect(page.locator("#found")).to_contain_text("1 article")
    page.wait_for_url("**/search?q=flower")


def test_a_letter_answers_and_another_takes_it_up_again(page: Any) -> None:
    page.goto("/review")
    playwright.expect(page.locator(".counted")).to_contain_text("1 to review")
    wait_for_keys(page)
    page.keyboard.press("y")
    playwright.expect(page.locator(".counted")).to_contain_text("You said yes")
    wait_for_keys(page)
    page.keyboard.press("u")
    playwright.expect(page.locator("[aria-pressed]")).to_contain_text("yes")
    wait_for_keys(page)
    page.keyboard.press("b")
    playwright.expect(page.locator(".counted")).to_contain_text("You said borderline")


def test_keys_pressed_in_a_row_answer_once_until_the_next_article_can_be_seen(browser: Any, queue: str) -> None:
    page = browser.new_page(base_url=queue)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    page.goto("/review")
    wait_for_keys(page)
    page.evaluate(AT_ONCE)
    page.keyboard.type("yyy")
    playwright.expect(page.locator(".counted")).to_contain_text("3 to review")
    wait_for_keys(page)
    assert asked.count("POST") == 1
    playwright.expect(page.locator(".counted")).to_contain_text("3 to review")
    page.context.close()


def test_an_answer_that_cannot_be_stored_says_so_and_the_article_stays(browser: Any, queue: str) -> None:
    page = browser.new_page(base_url=queue)
    page.goto("/review")
    title = page.locator(".title").inner_text()
    problem = {"content_type": "application/problem+json", "body": '{"detail": "too many tokens"}'}
    failures: tuple[tuple[Callable[[Any], None], str], ...] = (
        (lambda route: route.abort(), "defnews does not answer"),
        (lambda route: route.fulfill(status=429, headers={"Retry-After": "7"}, **problem), "try again in 7 s"),
        (lambda route: route.fulfill(status=403, **problem), "403, too many tokens"),
    )
    for fail, why in failures:
        page.route("**/review", fail)
        wait_for_keys(page)
        page.keyboard.press("n")
        playwright.expect(page.locator(".said [role=alert]")).to_contain_text(why)
        assert page.locator(".title").inner_text() == title
        page.unroute("**/review")
    page.keyboard.press("n")
    playwright.expect(page.locator(".counted")).to_contain_text(f"You said no of “{title}”")
    page.context.close()


def test_several_answers_can_be_taken_up_again_the_last_one_first(browser: Any, queue: str) -> None:
    page = browser.new_page(base_url=queue)
    page.goto("/review")
    titles = []
    for left in (3, 2):
        titles.append(page.locator(".title").inner_text())
        wait_for_keys(page)
        page.keyboard.press("y")
        playwright.expect(page.locator(".counted")).to_contain_text(f"{left} to review")
    for title in reversed(titles):
        wait_for_keys(page)
        page.keyboard.press("u")
        playwright.expect(page.locator(".title")).to_have_text(title)
    wait_for_keys(page)
    page.keyboard.press("n")
    playwright.expect(page.locator(".counted")).to_contain_text(f"You said no of “{titles[0]}”")
    page.context.close()


def test_the_buttons_stay_in_sight_below_a_long_text(browser: Any, queue: str) -> None:
    page = browser.new_page(base_url=queue, viewport={"width": 390, "height": 700})
    page.goto("/review")
    page.locator("article > p").last.scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 700
    playwright.expect(page.get_by_role("button", name="borderline")).to_be_in_viewport(ratio=1)
    page.context.close()


def test_long_titles_leave_room_for_the_rest(browser: Any, queue: str) -> None:
    page = browser.new_page(base_url=queue, viewport={"width": 1440, "height": 900})
    page.goto("/search")
    heights = [row.bounding_box()["height"] for row in page.locator(".row h3").all()]
    assert max(heights) <= 4.5 * min(heights)
    page.goto("/feeds")
    assert page.locator("tbody td:last-child").bounding_box()["width"] > 150
    page.goto("/backfill")
    assert page.locator("select[multiple]").bounding_box()["width"] < 500
    page.context.close()


def test_arabic_news_begin_at_the_right_also_with_a_foreign_name(page: Any) -> None:
    for place in ("/", "/search"):
        page.goto(place)
        assert page.locator("[data-open]", has_text=ARABIC).evaluate(RIGHTMOST)
    page.get_by_role("link", name=ARABIC).click()
    page.wait_for_url("**/articles/*")
    for part in ("h1", "article > p[dir=rtl]"):
        assert page.locator(part).first.evaluate(RIGHTMOST)


def test_times_are_those_of_the_reader_and_tell_utc(browser: Any, address: str) -> None:
    context = browser.new_context(base_url=address, timezone_id="Asia/Seoul")
    page = context.new_page()
    page.goto("/")
    time = page.locator(".row time").first
    assert time.get_attribute("title").endswith("11:00:00 UTC")
    assert time.inner_text() == "07-11 20:00"
    context.close()


def test_without_scripts_everything_can_be_done(browser: Any, address: str) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/search")
    page.get_by_label("Words").fill("bombers")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Bombers over Jeju").click()
    page.get_by_role("button", name="no").click()
    playwright.expect(page.locator("aside").first).to_contain_text("A person said: no")
    context.close()
