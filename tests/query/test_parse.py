"""The query language: text -> Asked."""

import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.query import All, Any, Asked, Filters, Not, Span, Term, Words, parse, positive
from pipeline.query.fields import COLUMNS, FIELDS
from pipeline.query.parse import DEEPEST, MOST

NOW = datetime(2025, 7, 11, 12, 0, tzinfo=UTC)
PIECES = ("a", "b*", '"', "-", "OR", "AND", "(", ")", " ", "title:", "country:KR", "label:other", "score:>", "7d", ":")
QUERIES = st.lists(st.sampled_from(PIECES)).map("".join) | st.text(max_size=30)


def words(text: str, *, is_prefix: bool = False, column: str | None = None) -> Words:
    return Words(tuple(text.split()), is_prefix, column)


A, B, C = words("a"), words("b"), words("c")


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        pytest.param("a", A, id="a word"),
        pytest.param("a b", All((A, B)), id="words side by side must all occur"),
        pytest.param("\ta\n b ", All((A, B)), id="any space"),
        pytest.param("Crète", words("crete"), id="folded"),
        pytest.param("B-52H", words("b 52h"), id="what punctuation splits stays together"),
        pytest.param('"a b"', words("a b"), id="a phrase"),
        pytest.param("“a b”", words("a b"), id="a phrase in a keyboard's own quotes"),
        pytest.param('a"b c"', All((A, words("b c"))), id="a phrase ends a word"),
        pytest.param('"a b', words("a b"), id="a phrase that does not end"),
        pytest.param("ab*", words("ab", is_prefix=True), id="a prefix"),
        pytest.param("B-5*", words("b 5", is_prefix=True), id="the last of a split word is the prefix"),
        pytest.param("a*b", words("a b"), id="a star within is punctuation"),
        pytest.param('"a b*"', words("a b"), id="a star in a phrase too"),
        pytest.param("a -b", All((A, Not(B))), id="without a word"),
        pytest.param("-a", Not(A), id="everything without a word"),
        pytest.param('a -"b c"', All((A, Not(words("b c")))), id="without a phrase"),
        pytest.param("a -b*", All((A, Not(words("b", is_prefix=True)))), id="without a prefix"),
        pytest.param("a --b", All((A, Not(B))), id="a second minus is punctuation"),
        pytest.param("a - b", All((A, B)), id="a minus alone is punctuation"),
        pytest.param("a OR b", Any((A, B)), id="one of two"),
        pytest.param("a OR b OR c", Any((A, B, C)), id="one of three"),
        pytest.param("a b OR c", All((A, Any((B, C)))), id="OR joins its neighbours only"),
        pytest.param("a OR b c", All((Any((A, B)), C)), id="and not more"),
        pytest.param("a OR -b", Any((A, Not(B))), id="one or without the other"),
        pytest.param('"a b" OR c*', Any((words("a b"), words("c", is_prefix=True))), id="phrase or prefix"),
        pytest.param("a OR !!! b", Any((A, B)), id="what has no word is passed over"),
        pytest.param("a or b", All((A, words("or"), B)), id="small or is a word"),
        pytest.param('a "OR" b', All((A, words("or"), B)), id="OR in quotes is a word"),
        pytest.param("a -OR", All((A, Not(words("or")))), id="so is OR behind a minus"),
        pytest.param("a AND b", All((A, B)), id="AND says what holds anyway"),
        pytest.param("-a AND b", All((Not(A), B)), id="AND behind a minus word"),
        pytest.param("(a b) OR c", Any((All((A, B)), C)), id="a group"),
        pytest.param("a OR (b OR c)", Any((A, Any((B, C)))), id="a group on the right"),
        pytest.param("(a (b)) c", All((A, B, C)), id="groups that change nothing"),
        pytest.param("a -(b c)", All((A, Not(All((B, C))))), id="without a group"),
        pytest.param("a -(b OR c)", All((A, Not(Any((B, C))))), id="without one of two"),
        pytest.param("(a b", All((A, B)), id="a group that does not end"),
        pytest.param("a) b )", All((A, B)), id="a group that does not begin"),
        pytest.param("a () b", All((A, B)), id="an empty group"),
        pytest.param("F-16(C) a", All((words("f 16 c"), A)), id="parentheses within a word"),
        pytest.param("(F-16(C) OR a) b", All((Any((words("f 16 c"), A)), B)), id="and within a group"),
        pytest.param("NEAR(a, b) ^c", All((words("near"), A, B, C)), id="no language but ours"),
        pytest.param("title:a", words("a", column="title"), id="a word of the title"),
        pytest.param("Title:a*", words("a", is_prefix=True, column="title"), id="a prefix in it"),
        pytest.param('-title:"a b"', Not(words("a b", column="title")), id="without a phrase in it"),
        pytest.param("author:a OR title:b", Any((words("a", column="authors"), words("b", column="title"))), id="OR"),
        pytest.param("title:!! a", A, id="punctuation in a field"),
        pytest.param("http://a.b/c?d", words("http a b c d"), id="an address"),
        pytest.param("at 12:30", All((words("at"), words("12 30"))), id="a time"),
        pytest.param("Kyiv:a", words("kyiv a"), id="a colon behind a name"),
        pytest.param("Country: a", All((words("country"), A)), id="a colon behind a word"),
        pytest.param('"coutry:a"', words("coutry a"), id="a colon in a phrase"),
    ],
)
def test_words_are_read(text: str, terms: Term) -> None:
    assert parse(text, NOW) == Asked(terms)


def span(low: str | None, high: str | None) -> Span[datetime]:
    return Span(*(datetime.fromisoformat(end).replace(tzinfo=UTC) if end else None for end in (low, high)))


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        pytest.param("country:kr", Filters(countries=("KR",)), id="country"),
        pytest.param("country:KR country:JP", Filters(countries=("KR", "JP")), id="alternatives"),
        pytest.param("country:KR OR country:JP", Filters(countries=("KR", "JP")), id="alternatives, with OR"),
        pytest.param("(country:KR OR country:JP)", Filters(countries=("KR", "JP")), id="alternatives, as a group"),
        pytest.param("country:KR topic:weapons", Filters(countries=("KR",), topics=("weapons",)), id="two fields"),
        pytest.param("label:Review label:review", Filters(labels=("review",)), id="label, twice"),
        pytest.param('entity:"Freedom Shield"', Filters(entities=("Freedom Shield",)), id="entity"),
        pytest.param("entity:B-52H", Filters(entities=("B-52H",)), id="entity, one word"),
        pytest.param("site:www.yna.co.kr", Filters(sites=("yna.co.kr",)), id="site"),
        pytest.param("site:https://www.yna.co.kr/view/1", Filters(sites=("yna.co.kr",)), id="site, of a URL"),
        pytest.param('feed:"Defense News"', Filters(feeds=("Defense News",)), id="feed"),
        pytest.param("lang:EN-gb", Filters(langs=("en-gb",)), id="lang"),
        pytest.param("story:42", Filters(stories=(42,)), id="story"),
        pytest.param("kind:wire", Filters(kinds=("wire",)), id="kind"),
        pytest.param("score:>=0.8", Filters(scores=(Span(0.8, None),)), id="a least score"),
        pytest.param("score:<.3", Filters(scores=(Span(None, 0.3),)), id="below a score"),
        pytest.param("score:0.4..", Filters(scores=(Span(0.4, None),)), id="an open range of scores"),
        pytest.param("published:2025-07-01", Filters(published=(span("2025-07-01", "2025-07-02"),)), id="a day"),
        pytest.param(
            "published:2025-07-01..2025-07-31", Filters(published=(span("2025-07-01", "2025-08-01"),)), id="days"
        ),
        pytest.param("published:2025-07-01..", Filters(published=(span("2025-07-01", None),)), id="since a day"),
        pytest.param("published:..2025-07-01", Filters(published=(span(None, "2025-07-02"),)), id="up to a day"),
        pytest.param("published:7d", Filters(published=(Span(NOW - timedelta(days=7), None),)), id="since an age"),
        pytest.param(
            "published:14d..7d",
            Filters(published=(Span(NOW - timedelta(days=14), NOW - timedelta(days=7)),)),
            id="between ages",
        ),
        pytest.param(
            "published:2025-07-01T06:00:00Z..",
            Filters(published=(span("2025-07-01T06:00:00", None),)),
            id="since an instant",
        ),
    ],
)
def test_fields_are_read(text: str, filters: Filters) -> None:
    assert parse(text, NOW) == Asked(filters=filters)


@pytest.mark.parametrize(
    ("score", "inside", "outside"),
    [
        (">0.8", [0.81, 1.0], [0.8, 0.79]),
        (">=0.8", [0.8, 1.0], [0.79]),
        ("<0.3", [0.29, 0.0], [0.3]),
        ("<=0.3", [0.3, 0.0], [0.31]),
        ("0.4..0.6", [0.4, 0.6], [0.39, 0.61]),
        ("..0.6", [0.0, 0.6], [0.61]),
    ],
)
def test_a_range_of_scores_holds_what_it_says(score: str, inside: list[float], outside: list[float]) -> None:
    (found,) = parse(f"score:{score}", NOW).filters.scores
    low, high = (found.low if found.low is not None else -1, found.high if found.high is not None else 2)
    assert [low <= value < high for value in (*inside, *outside)] == [True] * len(inside) + [False] * len(outside)


def test_a_field_behind_a_minus_excludes() -> None:
    asked = parse("a -country:RU country:KR -label:other -country:BY", NOW)
    assert asked == Asked(A, Filters(countries=("KR",)), Filters(countries=("RU", "BY"), labels=("other",)))


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_a_blank_text_matches_everything(text: str) -> None:
    assert parse(text, NOW) == Asked()


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        pytest.param("OR a", 1, "left", id="OR first"),
        pytest.param("!! OR a", 4, "left", id="only punctuation on its left"),
        pytest.param("a OR", 3, "right", id="OR last"),
        pytest.param("a OR !!", 3, "right", id="only punctuation on its right"),
        pytest.param("a OR ()", 3, "right", id="only an empty group on its right"),
        pytest.param("(a OR) b", 4, "right", id="OR last in a group"),
        pytest.param("a (OR b)", 4, "left", id="OR first in a group"),
        pytest.param("a OR OR b", 6, "left", id="OR twice"),
        pytest.param("AND (", 1, "left", id="AND first"),
        pytest.param("a AND (", 3, "right", id="AND last"),
        pytest.param("a OR AND b", 6, "left", id="AND behind OR"),
        pytest.param("- -* !? _", 1, "at least one word", id="only punctuation"),
        pytest.param('""', 1, "at least one word", id="an empty phrase"),
        pytest.param("\x00", 1, "at least one word", id="only a control character"),
        pytest.param("a coutry:KR", 3, r"no field coutry: .*country.*\"coutry:KR\"", id="a field that is none"),
        pytest.param("-coutry:KR", 1, "no field coutry", id="one behind a minus"),
        pytest.param("country: KR", 1, "country: needs a value right behind", id="a space behind the colon"),
        pytest.param("title:(a b)", 1, "title: needs a value right behind", id="a group behind the colon"),
        pytest.param('a entity:""', 3, "entity: needs a value", id="an empty value"),
        pytest.param("country:XX", 1, "country: 'XX' is no ISO", id="no country"),
        pytest.param("topic:x", 1, "topic: 'x': expected operations, conflict", id="no topic"),
        pytest.param("label:x", 1, "label: 'x': expected defense, other, review", id="no label"),
        pytest.param("kind:x", 1, "kind: 'x': expected trade", id="no kind"),
        pytest.param("story:x", 1, "story: 'x' is no id", id="no story"),
        pytest.param("lang:english!", 1, "lang: 'english!' is no language", id="no language"),
        pytest.param("site:a..b", 1, "site: 'a..b' is no domain", id="no domain"),
        pytest.param("score:..", 1, "score: '..': expected", id="a range of scores without ends"),
        pytest.param("score:1", 1, "score: '1': expected such as >0.8", id="a score that is no range"),
        pytest.param("score:0.6..0.4", 1, "score: '0.6..0.4' ends before it begins", id="scores, from high to low"),
        pytest.param("a published:soon", 3, "published: 'soon' is no date", id="no time"),
        pytest.param("published:..", 1, "published: '..': expected", id="a range without ends"),
        pytest.param("published:7d..14d", 1, "published: .* ends before it begins", id="times, from late to early"),
        pytest.param("a OR country:KR", 6, "a field is a filter of the whole", id="a word or a field"),
        pytest.param("country:KR OR topic:cyber", 15, "a field is a filter of the whole", id="one field or another"),
        pytest.param("country:KR OR -country:JP", 15, "a field is a filter", id="a field or not one"),
        pytest.param("-(a country:KR)", 1, "a field is a filter", id="without a group with a field"),
        pytest.param("(" * (DEEPEST + 1) + "a", DEEPEST + 1, "groups within each other", id="too deep"),
        pytest.param("a " * (MOST + 1), 2 * MOST + 1, "more than 1000 words", id="too long"),
    ],
)
def test_what_means_nothing_is_refused_with_its_column(text: str, column: int, problem: str) -> None:
    with pytest.raises(UsageError, match=rf"^query, column {column}: .*{problem}"):
        parse(text, NOW)


@given(QUERIES)
@example('-"')
@example("a OR")
def test_any_text_is_a_query_or_a_usage_error_with_a_column_in_it(text: str) -> None:
    try:
        parse(text, NOW)
    except UsageError as error:
        column = re.match(r"query, column (\d+): ", str(error))
        assert column
        assert 1 <= int(column[1]) <= len(text)


@given(st.sampled_from([*FIELDS, *COLUMNS]), st.text(max_size=20))
def test_any_value_of_a_field_is_read_or_refused(name: str, value: str) -> None:
    with contextlib.suppress(UsageError):
        parse(f"{name}:{value}", NOW)


def leaves(term: Term | None) -> Iterator[Words]:
    match term:
        case Words():
            yield term
        case Not():
            yield from leaves(term.term)
        case Any() | All():
            for part in term.terms if isinstance(term, Any) else term.parts:
                yield from leaves(part)


@given(QUERIES)
def test_no_term_holds_anything_but_letters_and_digits(text: str) -> None:
    try:
        asked = parse(text, NOW)
    except UsageError:
        return
    for term in leaves(asked.terms):
        assert term.words
        assert all(word.isalnum() for word in term.words)


def test_the_positive_words_are_those_a_found_text_can_hold() -> None:
    assert positive(parse("a -b c OR (d e)", NOW).terms) == (A, C, words("d"), words("e"))
    assert positive(None) == ()
