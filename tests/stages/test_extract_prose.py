"""HTML tree -> text of the article: what the shipped forest keeps and leaves, who is asked when it is unsure."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.stages.extract.blocks import blocks_of
from pipeline.stages.extract.body import TRAFILATURA
from pipeline.stages.extract.features import features
from pipeline.stages.extract.prose import (
    BLOCKS,
    LEAST_LIKELY,
    MOST_ELEMENTS,
    by_blocks,
    claims_of,
    doubt,
    main_text,
    shipped,
    threshold,
)
from pipeline.stages.forest import Forest
from pipeline.stages.markup import parse

URL = "https://www.example.com/news/frigate"
SENTENCES = (
    "The navy took delivery of the second frigate of its class in the northern port on Friday.",
    "The ship, which was laid down four years ago, will join the fleet after trials that last until the autumn.",
    "“She is the most capable escort that we have ever had,” the chief of staff told reporters at the ceremony.",
    "Two more hulls are under construction, and parliament is to vote on a fifth before the end of the year.",
    "The yard employs some 2,400 people, a third of whom were taken on since the programme was agreed.",
)
TEXT = "\n".join(SENTENCES)
PARAGRAPHS = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)


def page(body: str, head: str = "<title>Frigate delivered</title>") -> str:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"


def forest(bias: float) -> Forest:
    """Trees without branches, that say the same of every block."""
    shape = (1, 1)
    columns = features(blocks_of(parse(page("x"), URL)), claims_of(parse(page("x"), URL)))[0]
    return Forest(
        columns,
        np.zeros(shape, np.int16),
        np.full(shape, np.inf, np.float32),
        np.zeros(shape, np.int16),
        np.zeros(shape),
        0,
        bias,
    )


def test_the_shipped_forest_knows_the_features_that_there_are() -> None:
    tree = parse(page(PARAGRAPHS), URL)
    assert shipped().columns == features(blocks_of(tree), claims_of(tree))[0]


@pytest.mark.parametrize(
    "around",
    [
        pytest.param("<nav><ul><li><a href='/'>Home</a></li><li><a href='/w'>World</a></li></ul></nav>{}", id="nav"),
        pytest.param("{}<footer><p>© 2025 Example. All rights reserved.</p></footer>", id="footer"),
        pytest.param(
            "{}<div class='related'><h4>Related</h4><ul><li><a href='/1'>Minister visits the yard in the north</a></li>"
            "<li><a href='/2'>Why the third hull is late, and by how long</a></li></ul></div>",
            id="related",
        ),
        pytest.param(
            "<div class='cookie-banner'><p>We use cookies to improve your experience. Accept all?</p></div>{}",
            id="cookies",
        ),
    ],
)
def test_what_stands_around_an_article_is_left_out(around: str) -> None:
    article = f"<article><h1>Frigate delivered</h1><div class='article-body'>{PARAGRAPHS}</div></article>"
    found = by_blocks(parse(page(around.format(article)), URL), shipped())
    assert found.text.removeprefix("Frigate delivered\n") == TEXT


def test_a_certain_judge_is_believed() -> None:
    assert main_text(parse(page(PARAGRAPHS), URL), URL, forest(9.0)) == (TEXT, BLOCKS)


def test_an_unsure_judge_leaves_the_page_to_trafilatura() -> None:
    assert main_text(parse(page(f"<article>{PARAGRAPHS}</article>"), URL), URL, forest(0.1)) == (TEXT, TRAFILATURA)


def test_characters_that_are_there_to_be_invisible_are_left_out() -> None:
    marked = TEXT.replace("frigate", "fri\u200bgate").replace("\n", " \u200b \n\u200b ")
    assert marked != TEXT
    paragraphs = "".join(f"<p>{one}</p>" for one in marked.split("\n"))
    assert by_blocks(parse(page(paragraphs), URL), forest(9.0)).text == TEXT


def test_a_page_of_very_many_elements_is_left_to_nobody_else() -> None:
    tree = parse(page(f"<article>{PARAGRAPHS}</article>" + "<br>" * MOST_ELEMENTS), URL)
    assert main_text(tree, URL, forest(0.1)) == (TEXT, BLOCKS)


def test_what_trafilatura_does_not_find_either_is_as_the_judge_says() -> None:
    tree = parse(page("<footer>One<br>Two</footer>"), URL)
    assert main_text(tree, URL, forest(0.1)) == ("One\nTwo", BLOCKS)


def test_a_judge_who_keeps_nothing_is_not_believed() -> None:
    tree = parse(page(f"<article>{PARAGRAPHS}</article>"), URL)
    assert main_text(tree, URL, forest(-9.0)) == (TEXT, TRAFILATURA)


def test_a_page_without_text_is_guessed() -> None:
    assert by_blocks(parse("<html><body><img></body></html>", URL), shipped()) == ("", 1.0)


def test_doubt_is_the_share_of_text_that_is_expected_on_the_wrong_side() -> None:
    assert doubt(np.array([90, 10]), np.array([1.0, 0.0])) == 0
    assert doubt(np.array([90, 10]), np.array([0.9, 0.1])) == pytest.approx(10 / 82)
    assert doubt(np.array([90]), np.array([0.0])) == 0
    assert doubt(np.array([100]), np.array([0.2])) == 1


def test_what_is_uncertain_is_kept_where_all_is_uncertain() -> None:
    assert threshold(np.array([90, 10]), np.array([1.0, 0.4])) == pytest.approx(90 / 184)
    assert threshold(np.array([50, 50]), np.array([0.5, 0.4])) == pytest.approx(45 / 145)
    assert threshold(np.array([50, 50]), np.array([0.1, 0.0])) == LEAST_LIKELY


def expected_f1(kept: NDArray[np.bool_], sizes: NDArray[np.int64], likely: NDArray[np.float64]) -> float:
    return float(2 * (sizes * likely)[kept].sum() / (sizes[kept].sum() + (sizes * likely).sum()))


@given(st.lists(st.tuples(st.integers(1, 500), st.floats(0.3, 1)), min_size=1, max_size=8))
def test_no_other_threshold_promises_more(blocks: list[tuple[int, float]]) -> None:
    sizes, likely = np.array([size for size, _ in blocks]), np.array([p for _, p in blocks])
    ours = expected_f1(likely > threshold(sizes, likely), sizes, likely)
    for other in likely:
        assert ours >= expected_f1(likely >= other, sizes, likely) - 1e-9


def test_cells_of_a_row_are_one_line() -> None:
    markup = "<table><tr><th>Ship</th><th>Year</th></tr><tr><td>Alfa</td><td>2021</td></tr></table><p>Both.</p>"
    assert by_blocks(parse(page(markup), URL), forest(9.0)).text == "Ship Year\nAlfa 2021\nBoth."


def test_the_claims_of_a_head_are_read() -> None:
    node = json.dumps([{"@type": "WebPage"}, {"@type": "NewsArticle", "articleBody": TEXT}])
    head = (
        "<title>Frigate delivered | Example</title><meta property='og:title' content='Frigate delivered'>"
        f"<meta name='description' content='A ship.'><script type='application/ld+json'>{node}</script>"
    )
    claims = claims_of(parse(page("x", head), URL))
    assert (claims.title, claims.description, claims.body) == ("Frigate delivered", "A ship.", TEXT)


def test_a_head_that_claims_nothing_but_its_title() -> None:
    claims = claims_of(parse(page("x"), URL))
    assert (claims.title, claims.description, claims.body) == ("Frigate delivered", "", "")
