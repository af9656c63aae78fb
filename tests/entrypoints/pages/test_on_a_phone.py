"""The pages at the width of a phone: what one came for stands on the first screen, and nothing is cut off."""

from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
playwright.expect.set_options(timeout=30_000)  # machines are slow at times
PHONE = {"width": 390, "height": 844}
CUT_OFF = """() => [...document.querySelectorAll("main *")].filter(part =>
    part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).overflowX === "auto"
).map(part => part.outerHTML)"""


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no scripts"])
def test_what_a_search_found_stands_on_the_first_screen_and_its_filters_unfold(
    browser: Any, address: str, has_scripts: bool
) -> None:
    context = browser.new_context(base_url=address, viewport=PHONE, java_script_enabled=has_scripts)
    page = context.new_page()
    page.goto("/search?q=jeju&label=defense")
    playwright.expect(page.locator(".row").first).to_be_in_viewport(ratio=1)
    playwright.expect(page.get_by_label("Topic")).to_be_hidden()
    page.locator("summary", has_text="Filters").click()
    playwright.expect(page.get_by_label("Label")).to_have_value("defense")
    page.get_by_label("Topic").select_option("operations")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/search?q=jeju+label%3Adefense+topic%3Aoperations")
    playwright.expect(page.get_by_label("Words")).to_have_value("jeju label:defense topic:operations")
    context.close()


def test_on_a_wide_screen_the_filters_stand_open(browser: Any, address: str) -> None:
    page = browser.new_page(base_url=address, viewport={"width": 1440, "height": 900})
    page.goto("/search?q=jeju")
    playwright.expect(page.get_by_label("Topic")).to_be_visible()
    playwright.expect(page.locator("summary", has_text="Filters")).to_be_hidden()
    page.context.close()


def test_what_is_chosen_is_written_into_the_words_while_the_panel_stays_open(browser: Any, address: str) -> None:
    page = browser.new_page(base_url=address, viewport=PHONE)
    page.goto("/search")
    page.locator("summary", has_text="Filters").click()
    page.get_by_label("Label").select_option("other")
    playwright.expect(page.get_by_label("Words")).to_have_value("label:other")
    playwright.expect(page.get_by_label("Label")).to_be_visible()
    page.context.close()


def test_tables_are_cards_that_show_all_they_hold(browser: Any, address: str) -> None:
    page = browser.new_page(base_url=address, viewport=PHONE)
    for place in ("/feeds", "/backfill", "/status"):
        page.goto(place)
        assert (place, page.evaluate(CUT_OFF)) == (place, [])
    page.goto("/feeds")
    playwright.expect(page.locator("tbody tr").first).to_be_in_viewport()
    playwright.expect(page.locator("tbody tr").first).to_contain_text("interval")
    page.context.close()
