"""The piece of a text that shows why it was found."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.query import Term, parse, snippet
from pipeline.query.words import is_unspaced

FILLER = "nothing of interest happened here today "
TEXTS = st.lists(
    st.sampled_from(["missile", "Missiles", "launch", "sea", "훈련이", "x" * 30, "-", "'s", "\n", "é"])
).map(" ".join) | st.text(max_size=300)
QUERIES = st.sampled_from(["missile", "launch*", "missile OR sea", '"launch missile" -sea', "훈련*", "e", ""])
NOW = datetime(2025, 7, 11, 12, 0, tzinfo=UTC)
MARKS = ("\ue000", "\ue001")


def show(text: str, query: str, length: int = 200) -> str:
    return snippet(text, parse(query, NOW).terms, length=length)


@pytest.mark.parametrize(
    ("text", "query", "shown"),
    [
        pytest.param("The missile flew.", "missile", "The [missile] flew.", id="a word"),
        pytest.param("Missiles, a MISSILE", "missile", "[Missiles], a [MISSILE]", id="in any case and number"),
        pytest.param(
            "It launched, launches, launching", "launch", "It [launched], [launches], [launching]", id="forms"
        ),
        pytest.param("a launch", "launching", "a [launch]", id="of the query's word too"),
        pytest.param("a launcher at the sea", "launch seas", "a launcher at the sea", id="no other word"),
        pytest.param("a launcher", "launch*", "a [launcher]", id="a prefix"),
        pytest.param("a B-52H flew", "b-5*", "a [B-52H] flew", id="a prefix of a split word"),
        pytest.param(
            "16 F-2s, F-16s and an F-16", "F-16", "16 F-2s, F-16s and an [F-16]", id="not its parts elsewhere"
        ),
        pytest.param("sea air, air drill, air", 'sea "air drill"', "[sea] air, [air drill], air", id="one of two"),
        pytest.param("drill of air and air drills", '"air drill"', "drill of air and [air drills]", id="a phrase"),
        pytest.param("the air force, air drills", 'air "air force"', "the [air force], [air] drills", id="the longest"),
        pytest.param("at Crète", "crete", "at [Crète]", id="without marks"),
        pytest.param("missile or sea", "missile -sea", "[missile] or sea", id="what must not occur is not shown"),
        pytest.param("연합훈련을 했다", "훈련", "연합[훈련]을 했다", id="a part of a word of a script without spaces"),
        pytest.param("弾道ミサイル発射と発射", "発射", "弾道ミサイル[発射]と[発射]", id="twice"),
        pytest.param("F-35A를", "F-35A", "[F-35A]를", id="a name with an ending behind"),
        pytest.param("one\ntwo", "two", "one [two]", id="lines are joined"),
        pytest.param("one two", "three", "one two", id="no hit"),
        pytest.param("one two", "", "one two", id="nothing asked"),
        pytest.param("", "missile", "", id="no text"),
    ],
)
def test_the_words_that_matched_are_marked(text: str, query: str, shown: str) -> None:
    assert show(text, query) == shown


def test_the_marks_can_be_chosen() -> None:
    assert snippet("a missile", parse("missile", NOW).terms, mark=("<b>", "</b>")) == "a <b>missile</b>"


def test_a_long_text_is_cut_at_words_and_says_so() -> None:
    shown = show(FILLER * 20 + "a missile flew " + FILLER * 20, "missile", 100)
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert "[missile]" in shown
    assert set(shown.strip("…").split()) <= set((FILLER + "a [missile] flew").split())
    assert len(shown) <= 100 + len("……[]")


def test_without_a_hit_the_beginning_is_shown() -> None:
    assert show("First words. " + FILLER * 20, "missile", 50).startswith("First words. nothing")


def test_the_stretch_with_the_most_hits_is_shown_and_of_equal_ones_the_first() -> None:
    one, both = "a missile " + FILLER * 10, "missile and launch one " + FILLER * 10
    text = one + both + both.replace("one", "two")
    assert "[missile] and [launch] one" in show(text, "missile launch", 100)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x" * 300 + "-missile strikes the sea", id="no space before it"),
        pytest.param("the missile-" + "x" * 300, id="no space behind it"),
        pytest.param("훈련" * 200 + ",missile," + "훈련" * 200, id="no spaces at all"),
    ],
)
def test_a_hit_is_shown_even_where_no_word_ends_near_it(text: str) -> None:
    assert "[missile]" in show(text, "missile")


def test_a_long_text_full_of_hits_takes_no_longer_than_reading_it() -> None:
    text = "the missile and the sea " * 20_000
    started = time.perf_counter()
    assert show(text, "the OR missile OR sea").startswith("[the] [missile]")
    assert time.perf_counter() - started < 5, "quadratic: minutes"


def terms_of(query: str) -> Term | None:
    try:
        return parse(query, NOW).terms
    except UsageError:
        return None


@given(TEXTS, QUERIES | st.text(max_size=20), st.integers(1, 80))
@example("missile\n", "missile", 1)
def test_without_marks_and_ellipses_a_snippet_is_a_piece_of_the_text(text: str, query: str, length: int) -> None:
    assume(not set("…\ue000\ue001") & set(text))
    shown = snippet(text, terms_of(query), MARKS, length)
    bare = shown.strip("…").replace(MARKS[0], "").replace(MARKS[1], "")
    assert bare in text.replace("\n", " ")
    assert len(bare) <= length


def is_border(outer: str, inner: str) -> bool:
    """Whether words end between two characters; those of scripts without spaces end anywhere."""
    return not outer.isalnum() or is_unspaced(inner) or is_unspaced(outer)


@given(TEXTS, QUERIES, st.integers(1, 80))
@example("launch missile", '"launch missile"', 14)
def test_marks_stand_in_pairs_around_whole_words_and_phrases(text: str, query: str, length: int) -> None:
    assume(not set(MARKS) & set(text))
    first, *pieces = snippet(text, parse(query, NOW).terms, MARKS, length).split(MARKS[0])
    assert MARKS[1] not in first
    before = first
    for piece in pieces:
        words, after = piece.split(MARKS[1])
        assert (words[0].isalnum(), words[-1].isalnum()) == (True, True)
        assert is_border(before[-1:], words[0])
        assert is_border(after[:1], words[-1])
        before = after or words


@given(TEXTS, st.integers(20, 200))
def test_a_word_that_is_there_is_shown(text: str, length: int) -> None:
    text += " launch"
    assert "[launch]" in show(text, "launch", length)
