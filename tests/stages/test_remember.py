"""Articles of a site -> memory -> articles: what is repeated goes, what is told again stays, nothing grows for ever."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Article
from pipeline.stages import remember
from pipeline.stages.remember import Block, Seen, SiteMemory, after, blocks_of, without_furniture
from tests import make

PROMO = "Sign up for our free morning briefing."
EMPTY = SiteMemory("site.example")


def report(number: int, paragraphs: int = 6) -> list[str]:
    """A text of its own."""
    ships = range(number * 100, number * 100 + paragraphs)
    return [f"In report {number} the ministry names ship {ship} of its fleet." for ship in ships]


def article(*paragraphs: str) -> Article:
    return make.article(text="\n".join(paragraphs))


def taught(articles: Iterable[Article], memory: SiteMemory = EMPTY) -> SiteMemory:
    for one in articles:
        memory = after(memory, blocks_of(one))
    return memory


def test_what_stands_in_three_articles_is_left_out_of_the_fourth() -> None:
    for number, expected in ((2, [*report(9), PROMO]), (3, report(9))):
        memory = taught(article(*report(n), PROMO) for n in range(number))
        assert without_furniture(article(*report(9), PROMO), memory).text == "\n".join(expected)


def test_an_article_names_the_memory_that_left_something_out() -> None:
    memory = taught(article(*report(n), PROMO) for n in range(3))
    assert memory.name == "site.example@1"
    assert without_furniture(article(*report(9), PROMO), memory).site_memory == "site.example@1"
    assert without_furniture(article(*report(9)), memory).site_memory is None


@pytest.mark.parametrize(
    "told",
    [
        pytest.param([report(1)] * 9, id="the same"),
        pytest.param([[*report(1)[:4], *report(n)[:2]] for n in range(9)], id="an update"),
        pytest.param([[*report(1), *report(n, 8)] for n in range(9)], id="a longer one around it"),
    ],
)
def test_what_is_told_again_makes_no_furniture(told: list[list[str]]) -> None:
    assert taught(article(*one) for one in told).furniture == frozenset()


def test_a_repeated_report_among_others_makes_no_furniture() -> None:
    told = [text for n in range(9) for text in (report(99), report(n))]
    assert taught(article(*one, PROMO) for one in told).furniture == {blocks_of(article(PROMO))[0].key}


def test_short_blocks_are_no_furniture() -> None:
    memory = taught(article(*report(n), "Background") for n in range(9))
    assert without_furniture(article(*report(10), "Background"), memory).text.endswith("Background")


def test_a_large_part_of_an_article_stays() -> None:
    memory = taught(article(*report(n, 12), PROMO * 4) for n in range(3))
    assert memory.furniture
    brief = article(*report(9, 3), PROMO * 4)
    assert without_furniture(brief, memory) == brief


def test_an_article_of_which_little_would_be_left_stays_whole() -> None:
    promos = [f"{PROMO} Briefing number {n}." for n in range(6)]
    memory = taught(article(*report(n, 30), *promos) for n in range(3))
    brief = article(*report(9, 2), *promos)
    assert len(memory.furniture) == 6
    assert without_furniture(brief, memory) == brief


def test_furniture_that_is_no_longer_seen_is_forgotten_and_that_is_another_version() -> None:
    memory = taught(article(*report(n), PROMO) for n in range(3))
    assert taught((article(*report(n)) for n in range(10, 209)), memory).furniture == memory.furniture
    later = taught((article(*report(n)) for n in range(10, 210)), memory)
    assert (later.furniture, later.version) == (frozenset(), 2)


def test_a_block_that_comes_again_late_was_forgotten_meanwhile() -> None:
    rare = (article(*report(n), *([PROMO] if n % 40 == 0 else [])) for n in range(200))
    assert taught(rare).furniture == frozenset()


@given(st.lists(st.lists(st.tuples(st.integers(-9, 9), st.integers(25, 400)), max_size=9), max_size=40))
def test_a_memory_is_bounded_and_its_version_tells_every_change(told: list[list[tuple[int, int]]]) -> None:
    memory = EMPTY
    for blocks in told:
        later = after(memory, [Block(key, length) for key, length in blocks])
        assert (later.version != memory.version) == (later.furniture != memory.furniture)
        assert all(0 < seen.last <= later.articles for seen in later.seen.values())
        memory = later


def test_a_site_of_endless_paragraphs_is_remembered_in_part_its_furniture_first() -> None:
    memory = taught(article(*report(n), PROMO) for n in range(3))
    blocks = [Block(key, 50) for key in range(5 * remember.MOST_BLOCKS)]
    later = after(memory, blocks)
    assert len(later.seen) == remember.MOST_BLOCKS
    assert memory.furniture <= later.seen.keys()


def test_a_paragraph_that_an_article_holds_twice_counts_once() -> None:
    memory = taught([article(*report(1), PROMO, PROMO)])
    assert set(memory.seen.values()) == {Seen(1, 1)}


def test_without_a_memory_an_article_is_as_it_is() -> None:
    assert without_furniture(article(*report(1)), EMPTY) == article(*report(1))
