"""Words as the search sees them."""

import sqlite3
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.query.words import fold, indexed, paired, sought, split_words, tokens

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
def test_a_text_is_indexed_by_its_words(text: str) -> None:
    assert tokens(text) == list(indexed(split_words(text)))


@given(st.text(ALPHABETS), st.text(ALPHABETS))
def test_a_run_changes_no_word_of_the_text_before_it(text: str, run: str) -> None:
    assert split_words(f"{text} {run} 訓練")[: len(split_words(text))] == split_words(text)


@given(st.text() | st.text(ALPHABETS))
def test_how_a_text_is_composed_makes_no_difference(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)


@pytest.fixture(scope="module")
def index() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(text, tokenize='porter unicode61 remove_diacritics 2')")
    return connection


@given(st.text(ALPHABETS, min_size=1, max_size=12))
@example("\u304b\u0301\u304b")  # a Latin mark within a run of kana
def test_the_words_of_a_text_find_it_in_sqlite_s_own_index(index: sqlite3.Connection, text: str) -> None:
    if words := split_words(text):
        assert is_found(index, words, unicodedata.normalize("NFC", text))


@given(st.text("東京発射훈련이ガスกองทั", min_size=1, max_size=12), st.data())
def test_every_part_of_a_run_finds_it(index: sqlite3.Connection, run: str, data: st.DataObject) -> None:
    (word,) = split_words(run) or [""]
    first = data.draw(st.integers(0, max(len(word) - 1, 0)))
    last = data.draw(st.integers(first + 1, max(len(word), 1)))
    if word:
        assert is_found(index, [word[first:last]], f"X{run}1")
        assert is_found(index, ["x", word, "1"], f"X{run}1")


def is_found(index: sqlite3.Connection, words: list[str], text: str) -> bool:
    wanted, is_prefix = sought(words, is_prefix=False)
    index.execute("DELETE FROM t")
    index.execute("INSERT INTO t VALUES (?)", (paired(text),))
    match = f'"{" ".join(wanted)}"' + ("*" if is_prefix else "")
    return bool(index.execute("SELECT 1 FROM t WHERE t MATCH ?", (match,)).fetchall())


@pytest.mark.parametrize(
    ("words", "tokens"),
    [
        pytest.param("발사", ["발사", "사"], id="two characters"),
        pytest.param("ミサイル発射", ["ミサ", "サイ", "イル", "ル発", "発射", "射"], id="many"),
        pytest.param("軍", ["軍"], id="one"),
        pytest.param("F-35A를", ["f", "35a", "를"], id="an ending behind a name"),
        pytest.param("กองทัพ", ["กอ", "อง", "งท", "ทพ", "พ"], id="Thai, without vowel signs"),
    ],
)
def test_runs_are_indexed_by_pairs(words: str, tokens: list[str]) -> None:
    assert list(indexed(split_words(words))) == tokens
    assert paired(words).lower().replace("-", " ").split() == tokens


def test_a_text_cannot_hold_what_marks_facets() -> None:
    assert paired("a\ue000ckr\ue000b é") == "a ckr b é"


@pytest.mark.parametrize(
    ("words", "is_prefix", "tokens"),
    [
        pytest.param(["drone"], True, (["drone"], True), id="a prefix"),
        pytest.param(["훈련"], False, (["훈련"], False), id="a run may go on"),
        pytest.param(["훈련"], True, (["훈련"], False), id="also without a star"),
        pytest.param(["훈"], False, (["훈"], True), id="one character begins a pair"),
        pytest.param(["연합", "훈련이"], False, (["연합", "합", "훈련", "련이"], False), id="an earlier run ends"),
    ],
)
def test_words_are_sought_as_they_are_indexed(
    words: list[str], is_prefix: bool, tokens: tuple[list[str], bool]
) -> None:
    assert sought(words, is_prefix=is_prefix) == tokens
