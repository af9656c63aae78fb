"""Claims and headings -> the title: which one wins, and what is cut off it."""

import pytest
from lxml import html

from pipeline.stages.extract.titles import Outlet, headline, without_site

OUTLET = Outlet.of("https://www.defence-daily.example.co.uk/a", ["Defence Daily News"])


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        pytest.param("Frigate delivered | Defence Daily News", "Frigate delivered", id="bar"),
        pytest.param("Frigate delivered — Defence Daily News", "Frigate delivered", id="dash"),
        pytest.param("Frigate delivered :: Defence Daily News", "Frigate delivered", id="colons"),
        pytest.param("Frigate delivered · DDN", "Frigate delivered", id="initials"),
        pytest.param("Frigate delivered - example", "Frigate delivered", id="domain"),
        pytest.param("Frigate delivered - The Example", "Frigate delivered", id="more than the domain"),
        pytest.param("Frigate delivered | Daily Defence Blog", "Frigate delivered", id="words of the host"),
        pytest.param("Example: Frigate delivered", "Frigate delivered", id="before it"),
        pytest.param("Frigate delivered - Navy", "Frigate delivered - Navy", id="something else"),
        pytest.param("Daily defence: frigate delivered", "Daily defence: frigate delivered", id="words before it"),
        pytest.param("Defence Daily News", "Defence Daily News", id="nothing else"),
    ],
)
def test_a_title_loses_its_site_in_every_spelling(title: str, bare: str) -> None:
    assert without_site(title, OUTLET) == bare


@pytest.mark.parametrize(
    ("body", "claimed", "title", "shown"),
    [
        pytest.param("<h1>Frigate</h1>", "Frigate", "Frigate", "h1", id="the heading"),
        pytest.param(
            "<h1>Defence Daily News</h1><h2>Frigate delivered</h2>",
            "Frigate delivered",
            "Frigate delivered",
            "h2",
            id="a lesser heading below the site's name",
        ),
        pytest.param(
            "<p class=headline>Frigate delivered</p>", "Frigate delivered", "Frigate delivered", "p", id="marked"
        ),
        pytest.param(
            "<h1>July 10, 2025 Navy takes its frigate</h1>",
            "Navy takes its frigate",
            "Navy takes its frigate",
            "h1",
            id="with a date in it",
        ),
        pytest.param("<h1>Title: Frigate</h1>", "Frigate", "Frigate", "h1", id="with a label before it"),
        pytest.param("<h1>Frigate<br>delivered</h1>", "Frigate", "Frigate delivered", "h1", id="in two lines"),
        pytest.param("", "Frigate delivered | Sea | News", "Frigate delivered", None, id="sections after it"),
        pytest.param("", "Sea | Frigate delivered", "Sea | Frigate delivered", None, id="something before it"),
        pytest.param(
            "<h2>News</h2><h3>New frigate for the navy delivered</h3>",
            "New frigate for the navy delivered - Some Office",
            "New frigate for the navy delivered",
            "h3",
            id="a lesser heading without a site that nothing else names",
        ),
        pytest.param("<h3>Sea</h3>", "Sea - Frigate delivered", "Sea - Frigate delivered", None, id="a section"),
        pytest.param("<h1>...</h1>", "Frigate", "Frigate", None, id="a heading without words"),
        pytest.param("<h1>Frigate</h1>", None, "Frigate", "h1", id="no claim"),
        pytest.param("<p>Text</p>", None, None, None, id="none"),
    ],
)
def test_the_title_is_the_heading_that_is_like_the_claim(
    body: str, claimed: str | None, title: str | None, shown: str | None
) -> None:
    found, element = headline(html.document_fromstring(f"<html><body>{body}<i></i></body></html>"), [claimed], OUTLET)
    assert (found, element if element is None else element.tag) == (title, shown)
