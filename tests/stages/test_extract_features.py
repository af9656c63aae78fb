"""Blocks -> numbers: what they say of a page, in any script, and that no page makes them other than numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ExtractError
from pipeline.stages.extract.blocks import blocks_of
from pipeline.stages.extract.features import Claims, features
from pipeline.stages.extract.furniture import GROUPS, said, words_of
from pipeline.stages.markup import parse

SENTENCE = "The navy took delivery of the second frigate of its class in the northern port on Friday, it said."
PAGE = (
    "<nav><a href='/'>Home</a> <a href='/n'>News</a></nav><article><h1>Frigate delivered</h1>"
    f"<div class='story-text'><p>{SENTENCE}</p><p>{SENTENCE[4:]}</p></div><p class='caption'>The frigate</p></article>"
    "<footer>All rights reserved</footer>"
)
HOME, TITLE, FIRST, SECOND, CAPTION, FOOTER = range(6)


def table(markup: str, claims: Claims | None = None) -> dict[str, list[float]]:
    names, values = features(blocks_of(parse(f"<html><body>{markup}</body></html>", "")), claims or Claims())
    assert len(names) == len(set(names)) == len(values)
    return dict(zip(names, values.tolist(), strict=True))


@pytest.fixture(scope="module")
def page() -> dict[str, list[float]]:
    return table(PAGE, Claims("Frigate delivered", SENTENCE, SENTENCE))


def test_links_are_dense_where_the_navigation_is(page: dict[str, list[float]]) -> None:
    assert page["density"][HOME] > 0.8
    assert page["density"][FIRST] == 0


def test_the_prose_is_in_the_ancestors_of_the_text(page: dict[str, list[float]]) -> None:
    assert page["share_0"][FIRST] == pytest.approx(0.5, abs=0.05)
    assert page["share_1"][FIRST] == pytest.approx(1)
    assert page["share_0"][FOOTER] == 0


def test_the_best_container_is_that_of_the_paragraphs(page: dict[str, list[float]]) -> None:
    assert page["best_parent"] == [0, 0, 1, 1, 0, 0]


def test_neighbours_are_seen_and_none_is_beyond_the_page(page: dict[str, list[float]]) -> None:
    assert page["size+1"][TITLE] == page["size"][FIRST]
    assert page["size-1"][SECOND] == page["size"][FIRST]
    assert (page["size-1"][HOME], page["size+3"][CAPTION]) == (0, 0)
    assert page["heading-1"][FIRST] == 1


def test_names_of_near_elements_count_more_than_those_of_far_ones(page: dict[str, list[float]]) -> None:
    assert page["named_figure"][CAPTION] == 4
    assert (page["named_story"][FIRST], page["named_article"][FIRST], page["named_nav"][FIRST]) == (3, 2, 0)


def test_what_the_head_claims_is_found_again(page: dict[str, list[float]]) -> None:
    assert page["title"][TITLE] == pytest.approx(1)
    assert page["from_title"][:3] == pytest.approx([-np.log(2), 0, np.log(2)])
    assert (page["described"][FIRST], page["described"][CAPTION]) == (1, 0)
    assert (page["told"][FIRST], page["told"][FOOTER]) == (1, 0)


def test_a_page_that_claims_nothing_is_told_from_one_whose_claims_fail() -> None:
    assert set(table(PAGE)["told"]) == {-1}
    assert table("<p>Text</p>")["has_title"] == [0]


def test_a_text_that_occurs_again_is_counted() -> None:
    assert table("<p>Same</p><p>Other</p><p>Same</p>")["times"] == [2, 1, 2]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("海军周五在北部港口接收了该级第二艘护卫舰，国防部发表声明说，今年年底之前入役。", id="Chinese"),
        pytest.param("กองทัพเรือรับมอบเรือฟริเกตลำที่สองของชั้นที่ท่าเรือทางเหนือเมื่อวันศุกร์ที่ผ่านมา", id="Thai"),
        pytest.param("تسلمت البحرية الفرقاطة الثانية من فئتها في الميناء الشمالي يوم الجمعة، حسبما قالت.", id="Arabic"),
        pytest.param("Флот получил второй фрегат этого класса в северном порту в пятницу.", id="Russian"),
    ],
)  # fmt: skip
def test_a_sentence_is_prose_in_any_script(text: str) -> None:
    found = table(f"<nav><a href='/'>{text[:4]}</a></nav><p>{text}</p>")
    assert found["share_0"] == [0, 1]
    assert found["letters"][1] > 0.75


def test_words_of_furniture_are_counted_once_and_only_in_short_texts() -> None:
    texts = "Sign up for our newsletter, the newsletter!", "Read also: a story", "newsletter " * 100
    found = said([words_of(text) for text in texts])
    assert found[GROUPS.index("signup")].tolist() == [2, 0, 0]
    assert found[GROUPS.index("also")].tolist() == [0, 2, 0]


PIECES = (
    "<p>",
    "</p>",
    "<div class='nav'>",
    "</div>",
    "<a href=x>",
    "</a>",
    "<td>",
    "<h1>",
    SENTENCE,
    "\U0001f600",
    "字",
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30), st.text(max_size=20))
def test_every_page_gives_finite_numbers(pieces: list[str], claim: str) -> None:
    try:
        blocks = blocks_of(parse(f"<html><body>{''.join(pieces)}x</body></html>", ""))
    except ExtractError:
        return
    _, values = features(blocks, Claims(claim, claim, claim))
    assert values.shape[1] == len(blocks.texts)
    assert np.isfinite(values).all()
