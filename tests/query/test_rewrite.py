"""Fields in the text of a query: read and rewritten, without touching what else it says."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.query import Asked, parse, rewrite
from pipeline.query.parse import QUOTES, TOKEN
from pipeline.query.words import split_words

NOW = datetime(2025, 7, 11, 12, 0, tzinfo=UTC)
PIECES = (
    "a",
    "b*",
    '"',
    "-",
    "OR",
    "AND",
    "(",
    ")",
    " ",
    " ",
    "title:",
    "country:KR",
    "-country:JP",
    "label:other",
    "“",
)
QUERIES = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("jeju country:KR", ("KR",), id="one"),
        pytest.param("Country:kr drill country:JP", ("kr", "JP"), id="several, as they are written"),
        pytest.param('country:"KR', ("KR",), id="in quotes that do not end"),
        pytest.param("(a OR b country:KR)", ("KR",), id="in brackets"),
        pytest.param("-country:KR", (), id="what is excluded is not wanted"),
        pytest.param('"country:KR" country: countrys', (), id="words"),
    ],
)
def test_the_values_of_a_field_are_read(text: str, found: tuple[str, ...]) -> None:
    assert rewrite.values(text, "country") == found


@pytest.mark.parametrize(
    ("text", "name", "value", "written"),
    [
        pytest.param("", "label", "defense", "label:defense", id="alone"),
        pytest.param("jeju ", "label", "defense", "jeju label:defense", id="behind the words"),
        pytest.param("label:other jeju", "label", "defense", "label:defense jeju", id="in place of another"),
        pytest.param("a label:other b", "label", "", "a b", id="taken away"),
        pytest.param("a label:other OR label:review b", "label", "", "a b", id="with what joins it"),
        pytest.param("label:other OR label:review", "label", "defense", "label:defense", id="one for two"),
        pytest.param("label:other AND a", "label", "", "a", id="what joins it to what follows"),
        pytest.param("a (label:other label:review)", "label", "", "a", id="with brackets around it alone"),
        pytest.param("(a label:other)", "label", "", "(a)", id="not with those around more"),
        pytest.param("-label:other", "label", "defense", "-label:other label:defense", id="what is excluded stays"),
        pytest.param("a label:", "label", "defense", "a label:defense", id="one that has no value yet"),
        pytest.param("a label:other", "label", " ", "a", id="blank is none"),
        pytest.param("a", "label", " ", "a", id="none of none"),
        pytest.param('"a b', "label", "defense", '"a b" label:defense', id="behind a phrase that does not end"),
        pytest.param("((a b", "label", "defense", "((a b )) label:defense", id="behind groups that do not end"),
        pytest.param("", "entity", "Freedom Shield", 'entity:"Freedom Shield"', id="of several words"),
        pytest.param("", "entity", 'a"b”c', 'entity:"a b c"', id="quotes cannot be said"),
        pytest.param("", "entity", "F-16(C)", 'entity:"F-16(C)"', id="brackets"),
    ],
)
def test_a_field_is_written(text: str, name: str, value: str, written: str) -> None:
    assert rewrite.with_value(text, name, value) == written


def test_one_more_value_stands_behind_the_others() -> None:
    assert rewrite.with_another("country:KR (a", "country", "JP") == "country:KR (a ) country:JP"


@pytest.mark.parametrize(
    ("value", "is_said"),
    [("KR", True), ("Freedom Shield", True), ("F-16(C)", True), (" ", False), ('a "b"', False), ("a  b", False)],
)
def test_what_a_field_cannot_hold_is_known(value: str, is_said: bool) -> None:
    assert rewrite.can_say("entity", value) is is_said


def read(text: str) -> Asked:
    """What a text asks for that has no signs without words between its words: only those keep an AND from its field."""
    assume(not re.search(r"\(\W*(\)|$)", text))
    depth = 0
    for token in TOKEN.finditer(text.translate(QUOTES)):
        depth += bool(token["open"]) - bool(token["close"])
        assume(depth >= 0)
        assume(token["open"] or token["close"] or split_words(token[0]))
    try:
        return parse(text, NOW)
    except UsageError:
        assume(False)
        raise


@given(QUERIES, st.sampled_from(["KR", "US", ""]))
@example("(country:KR country:KR)", "")
@example("country:KR OR (country:KR)", "US")
@example("a(a", "KR")
@example('a title:" ', "KR")
def test_the_rest_of_any_query_asks_for_the_same(text: str, code: str) -> None:
    before = read(text)
    after = parse(rewrite.with_value(text, "country", code), NOW)
    countries = (code,) if code else ()
    assert after == replace(before, filters=replace(before.filters, countries=countries))


@given(st.text(max_size=30), st.text(max_size=10))
def test_any_value_written_into_any_text_is_read_there(text: str, value: str) -> None:
    written = rewrite.with_value(text, "entity", value)
    found = rewrite.values(written, "entity")
    assert len(found) == bool(rewrite.with_value("", "entity", value))
    assert rewrite.with_value(written, "entity", value) == written
