"""Words as the search sees them."""

import sqlite3
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.query.words import fold, split_words

ALPHABETS = (
    "aZéßŁøİǆ９²ﬁ" + "йЁїГ" + "άΣς" + "ガかﾊ" + "훈련" + "हिन्दी" + "ด้" + "עִבְ" + "عَرَ" + "é" + " -_'’.\u200b\u0301\x00"
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("B-52H", ["b", "52h"], id="a hyphen splits"),
        pytest.param("U.S. AUKUS_pact", ["u", "s", "aukus", "pact"], id="dots and underscores split"),
        pytest.param("Crète naïve Łódź", ["crete", "naive", "łodz"], id="Latin letters lose their marks"),
        pytest.param("e\u0301clair", ["eclair"], id="marks of their own go too"),
        pytest.param("İstanbul", ["istanbul"], id="lower case adds no mark"),
        pytest.param("Российский Київ", ["российский", "київ"], id="Cyrillic й and ї are letters"),
        pytest.param("и\u0306", ["й"], id="and are composed"),
        pytest.param("Укра\u0301ина", ["украина"], id="a stress is no letter"),
        pytest.param("Ελλάδα", ["ελλάδα"], id="Greek"),
        pytest.param("ガス", ["ガス"], id="Japanese"),
        pytest.param(unicodedata.normalize("NFD", "훈련이"), ["훈련이"], id="Hangul is composed"),
        pytest.param("1,000 km² 3.5%", ["1", "000", "km²", "3", "5"], id="digits"),
        pytest.param("--- ' \" * ( ) : ^ \x00 \ud800", [], id="nothing of a query's syntax"),
    ],
)
def test_a_text_is_split_into_words(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@given(st.text())
def test_words_hold_only_letters_and_digits(text: str) -> None:
    for word in split_words(text):
        assert word.isalnum()


@given(st.text() | st.text(ALPHABETS))
def test_splitting_again_changes_nothing(text: str) -> None:
    words = split_words(text)
    assert split_words(" ".join(words)) == words


@given(st.text() | st.text(ALPHABETS))
def test_how_a_text_is_composed_makes_no_difference(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)


@pytest.fixture(scope="module")
def index() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(text, tokenize='porter unicode61 remove_diacritics 2')")
    return connection


@given(st.text(ALPHABETS, min_size=1, max_size=12))
def test_the_words_of_a_text_find_it_in_sqlite_s_own_index(index: sqlite3.Connection, text: str) -> None:
    text = unicodedata.normalize("NFC", text)
    words = split_words(text)
    index.execute("DELETE FROM t")
    index.execute("INSERT INTO t VALUES (?)", (text,))
    if words:
        assert index.execute("SELECT count(*) FROM t WHERE t MATCH ?", (f'"{" ".join(words)}"',)).fetchone() == (1,)
