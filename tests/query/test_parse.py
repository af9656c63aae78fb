"""The query language: text -> Query."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.query import All, Any, Not, Words, parse

QUERIES = st.text(st.sampled_from(list('abO OR-*"" \n')), max_size=30) | st.text(max_size=30)


def words(text: str, *, is_prefix: bool = False) -> Words:
    return Words(tuple(text.split()), is_prefix)


A, B, C = words("a"), words("b"), words("c")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("a", (A,), id="a word"),
        pytest.param("a b", (A, B), id="words side by side must all occur"),
        pytest.param("\ta\n b ", (A, B), id="any space"),
        pytest.param("Crète", (words("crete"),), id="folded"),
        pytest.param("B-52H", (words("b 52h"),), id="what punctuation splits stays together"),
        pytest.param('"a b"', (words("a b"),), id="a phrase"),
        pytest.param('a"b c"', (A, words("b c")), id="a phrase ends a word"),
        pytest.param('"a b', (words("a b"),), id="a phrase that does not end"),
        pytest.param("ab*", (words("ab", is_prefix=True),), id="a prefix"),
        pytest.param("B-5*", (words("b 5", is_prefix=True),), id="the last of a split word is the prefix"),
        pytest.param("a*b", (words("a b"),), id="a star within is punctuation"),
        pytest.param('"a b*"', (words("a b"),), id="a star in a phrase too"),
        pytest.param("a -b", (A, Not(B)), id="without a word"),
        pytest.param("-b a", (Not(B), A), id="without a word, first"),
        pytest.param('a -"b c"', (A, Not(words("b c"))), id="without a phrase"),
        pytest.param("a -b*", (A, Not(words("b", is_prefix=True))), id="without a prefix"),
        pytest.param("a --b", (A, Not(B)), id="a second minus is punctuation"),
        pytest.param("a - b", (A, B), id="a minus alone is punctuation"),
        pytest.param("a OR b", (Any((A, B)),), id="one of two"),
        pytest.param("a OR b OR c", (Any((A, B, C)),), id="one of three"),
        pytest.param("a b OR c", (A, Any((B, C))), id="OR joins its neighbours only"),
        pytest.param("a OR b c", (Any((A, B)), C), id="and not more"),
        pytest.param('"a b" OR c*', (Any((words("a b"), words("c", is_prefix=True))),), id="phrase or prefix"),
        pytest.param("a OR !!! b", (Any((A, B)),), id="what has no word is passed over"),
        pytest.param("a or b", (A, words("or"), B), id="small or is a word"),
        pytest.param('a "OR" b', (A, words("or"), B), id="OR in quotes is a word"),
        pytest.param("a -OR", (A, Not(words("or"))), id="so is OR behind a minus"),
        pytest.param("a AND b", (A, B), id="AND says what holds anyway"),
        pytest.param("-a AND b", (Not(A), B), id="AND behind a minus word"),
        pytest.param(
            "a and -AND", (A, words("and"), Not(words("and"))), id="small and is a word, and AND behind a minus"
        ),
        pytest.param("NEAR(a, b) title:c ^a", (words("near a"), B, words("title c"), A), id="no language but ours"),
    ],
)
def test_a_query_is_read(text: str, parts: tuple[Words | Not | Any, ...]) -> None:
    assert parse(text) == All(parts)


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_a_blank_text_matches_everything(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        pytest.param("OR a", 1, "left", id="OR first"),
        pytest.param("!! OR a", 4, "left", id="only punctuation on its left"),
        pytest.param("a OR", 3, "right", id="OR last"),
        pytest.param("a OR !!", 3, "right", id="only punctuation on its right"),
        pytest.param("a OR OR b", 6, "left", id="OR twice"),
        pytest.param("a -b OR c", 6, "left", id="OR after a minus word"),
        pytest.param("a OR -b", 6, "not -words", id="OR before a minus word"),
        pytest.param("AND (", 1, "left", id="AND first"),
        pytest.param("a AND (", 3, "right", id="AND last"),
        pytest.param("a OR AND b", 6, "left", id="AND behind OR"),
        pytest.param("- -* !? _", 1, "at least one word", id="only punctuation"),
        pytest.param('""', 1, "at least one word", id="an empty phrase"),
        pytest.param("\x00", 1, "at least one word", id="only a control character"),
        pytest.param("-a", 1, "without a minus", id="nothing but a minus word"),
        pytest.param(' -a -"b c"', 1, "without a minus", id="nothing but minus words"),
    ],
)
def test_what_means_nothing_is_refused_with_its_column(text: str, column: int, problem: str) -> None:
    with pytest.raises(UsageError, match=rf"^query, column {column}: .*{problem}"):
        parse(text)


@given(QUERIES)
@example('-"')
@example("a OR")
def test_any_text_is_a_query_or_a_usage_error_with_a_column_in_it(text: str) -> None:
    try:
        query = parse(text)
    except UsageError as error:
        column = re.match(r"query, column (\d+): ", str(error))
        assert column
        assert 1 <= int(column[1]) <= len(text)
        return
    assert query is None or query.positive


@given(QUERIES)
def test_no_term_holds_anything_but_letters_and_digits(text: str) -> None:
    try:
        query = parse(text)
    except UsageError:
        return
    for part in query.parts if query else ():
        for term in part.terms if isinstance(part, Any) else [part.term if isinstance(part, Not) else part]:
            assert term.words
            assert all(word.isalnum() for word in term.words)


def test_the_positive_terms_are_those_a_found_text_can_hold() -> None:
    query = parse("a -b c OR d")
    assert query is not None
    assert query.positive == (A, C, words("d"))
