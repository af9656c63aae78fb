"""The pages in a real browser: scripts, keys, contrast and names, hostile news, phones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.entrypoints.pages.conftest import ARABIC, wait_for_keys

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
playwright.expect.set_options(timeout=30_000)  # machines are slow at times
AXE = Path(__file__).parent / "vendor/axe.min.js"
LARGEST = 150_000  # bytes of a page with all that it loads
SHIFTS = """() => new Promise(told => {
    let moved = 0
    new PerformanceObserver(seen => {
        for (const shift of seen.getEntries()) moved += shift.hadRecentInput ? 0 : shift.value
    }).observe({type: "layout-shift", buffered: true})
    setTimeout(() => told(moved), 200)
})"""
PAINTED = "new Promise(told => new PerformanceObserver(told).observe({type: 'paint', buffered: true})).then(() => 1)"
LOADED = """["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
    .map(entry => [entry.name, entry.initiatorType, entry.transferSize])"""
RIGHTMOST = """line => {
    const words = document.createTreeWalker(line, NodeFilter.SHOW_TEXT).nextNode(), range = new Range()
    const left = at => (range.setStart(words, at), range.setEnd(words, at + 1), range.getBoundingClientRect().left)
    return left(0) > left(words.length - 1)
}"""  # whether a line begins at its right
AT_ONCE = """() => new MutationObserver(() => {
    for (const key of "nn") document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}))
}).observe(document.querySelector("main"), {childList: true})"""  # keys, as soon as something else is shown
PLACES = (
    *("/", "/search?q=jeju", "/review", "/feeds", "/feeds/1", "/backfill", "/backfill/2", "/status", "/countries"),
    *("/countries/KR", "/topics/operations", "/entities/B-52H", "/sign-in"),
)


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_that_say_no_look_like_the_others_and_lead_back(browser: Any, address: str, scheme: str) -> None:
    page = browser.new_page(base_url=address, color_scheme=scheme)
    for place in ("/articles/9", "/countries/QQ", "/sign-in"):
        page.goto(place)
        page.evaluate(AXE.read_text())
        assert (place, page.evaluate("axe.run().then(found => found.violations.map(one => one.id))")) == (place, [])
        assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith("system-ui")
    page.goto("/nowhere")
    playwright.expect(page.locator("main")).to_contain_text("nothing is at /nowhere")
    page.get_by_role("link", name="What happened").click()
    playwright.expect(page.get_by_role("heading", name="Newest defense articles")).to_be_visible()
    page.context.close()


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
        page.evaluate(PAINTED)
        moved = page.evaluate(SHIFTS)
        context.close()
        assert (place, moved) == (place, 0)


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
    assert page.evaluate("getComputedStyle(document.activeElement.closest('[data-row]')).outlineStyle") == "solid"
    page.keyboard.press("o")
    page.wait_for_url("**/articles/*")
    page.go_back()
    wait_for_keys(page)
    assert page.evaluate("document.activeElement.innerText") == titles[1]
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url("**/articles/*")
    page.keyboard.press("/")
    page.keyboard.type("bombers")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=bombers*")
    wait_for_keys(page)
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("flower")
    page.wait_for_url("**/search?q=flower*")


def test_results_follow_the_words_as_they_are_typed(page: Any) -> None:
    page.goto("/search")
    page.get_by_label("Words").fill("flower")
    playwright.expect(page.locator("#found")).to_contain_text("1 article")
    page.wait_for_url("**/search?q=flower")


def test_what_is_chosen_and_what_is_typed_follow_each_other(page: Any) -> None:
    page.goto("/search")
    words, label = page.get_by_label("Words"), page.get_by_label("Label")
    label.select_option("defense")
    playwright.expect(words).to_have_value("label:defense")
    page.wait_for_url("**/search?q=label%3Adefense")
    page.keyboard.press("Escape")
    page.keyboard.type("/jeju")
    page.wait_for_url("**/search?q=label%3Adefense+jeju")
    playwright.expect(words).to_be_focused()
    words.fill("label:other jeju")
    playwright.expect(label).to_have_value("other")
    label.select_option("")
    playwright.expect(words).to_have_value("jeju")
    page.wait_for_url("**/search?q=jeju")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "x"),
        ("jeju", "x"),
        ("label:other", "label:other x"),
        ('label:other jeju "b c" country:KR', "label:other x country:KR"),
        ('jeju entity:"Freedom Shield"', 'x entity:"Freedom Shield"'),
    ],
)
def test_a_slash_takes_new_words_in_place_of_the_old_and_leaves_the_fields(page: Any, before: str, after: str) -> None:
    page.goto(f"/search?q={quote(before)}")
    page.locator("h1").evaluate("heading => document.activeElement.blur()")
    page.keyboard.type("/x")
    playwright.expect(page.get_by_label("Words")).to_have_value(after)


def test_a_letter_answers_the_chosen_row_and_another_takes_it_back(browser: Any, queue: str) -> None:
    page = browser.new_page(base_url=queue)
    page.goto("/search?q=label:review")
    wait_for_keys(page)
    for key, said in (("y", "said yes"), ("n", "said no"), ("b", "said borderline")):
        page.keyboard.press("j" if key == "y" else "k")  # the first one, and there it stays
        page.keyboard.press(key)
        playwright.expect(page.locator(".row").first.locator(".mark")).to_contain_text(said)
        playwright.expect(page.locator(".row").first.locator("[aria-pressed]")).to_have_count(1)
    playwright.expect(page.locator(".row .mark", has_text="said")).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("n")
    second = page.locator(".row").nth(1).locator(".mark")
    playwright.expect(second).to_contain_text("other")
    page.goto("/search")
    playwright.expect(second).to_contain_text("said no")
    playwright.expect(page.locator(".row").first.locator("[aria-pressed]")).to_contain_text("borderline")
    page.context.close()


def test_a_letter_without_a_chosen_row_answers_nothing(browser: Any, queue: str) -> None:
    page = browser.new_page(base_url=queue)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    page.goto("/search?q=label:review")
    wait_for_keys(page)
    page.keyboard.press("y")
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url("**/articles/*")
    assert "POST" not in asked
    page.context.close()


def test_an_answer_in_a_row_that_cannot_be_stored_says_so(browser: Any, queue: str) -> None:
    page = browser.new_page(base_url=queue)
    page.goto("/")
    wait_for_keys(page)
    page.route("**/articles/*", lambda route: route.abort())
    page.keyboard.press("j")
    page.keyboard.press("y")
    row = page.locator(".row").first
    playwright.expect(row.get_by_role("alert")).to_contain_text("defnews does not answer")
    page.unroute("**/articles/*")
    page.keyboard.press("y")
    playwright.expect(row.locator(".mark")).to_contain_text("said yes")
    playwright.expect(row.get_by_role("alert")).to_have_count(0)
    page.context.close()


def test_a_row_is_answered_without_scripts_and_leads_back_to_the_list(browser: Any, queue: str) -> None:
    context = browser.new_context(base_url=queue, java_script_enabled=False)
    page = context.new_page()
    page.goto("/search?q=label%3Areview")
    row = page.locator(".row").first
    row.hover()
    row.get_by_role("button", name="borderline").click()
    page.wait_for_url("**/search?q=label%3Areview")
    context.close()


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
    page.goto("/feeds/1")
    assert page.locator(".entry", has_text="AAA").bounding_box()["height"] < 60
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
    page.goto("/feeds/1")
    assert page.locator("[data-open]", has_text=ARABIC).evaluate(RIGHTMOST)


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


def test_without_scripts_the_queue_is_answered_and_answers_are_taken_up_again(browser: Any, queue: str) -> None:
    context = browser.new_context(base_url=queue, java_script_enabled=False)
    page = context.new_page()
    page.goto("/review")
    for said, left in (("yes", 3), ("no", 2), ("borderline", 1)):
        page.get_by_role("button", name=said).click()
        playwright.expect(page.locator(".counted")).to_contain_text(f"{left} to review You said {said}")
    page.get_by_role("link", name="Answer again").click()
    playwright.expect(page.locator("[aria-pressed]")).to_contain_text("borderline")
    page.get_by_role("link", name="The one before").click()
    playwright.expect(page.locator("[aria-pressed]")).to_contain_text("no")
    page.get_by_role("button", name="yes").click()
    playwright.expect(page.locator(".counted")).to_contain_text("1 to review You said yes")
    context.close()


def test_on_paper_no_word_of_an_article_is_shaded(browser: Any, address: str) -> None:
    page = browser.new_page(base_url=address)
    page.emulate_media(media="print")
    page.goto("/")
    page.goto(page.locator("[data-open]").first.get_attribute("href"))
    page.evaluate("document.querySelector('h1').innerHTML = '<mark class=against>a</mark><mark class=for>b</mark>'")
    shades = "[...document.querySelectorAll('h1 mark')].map(mark => getComputedStyle(mark).backgroundColor)"
    assert page.evaluate(shades) == ["rgba(0, 0, 0, 0)"] * 2
    page.context.close()
