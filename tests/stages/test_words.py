"""Words and phrases: how a text is cut, and which phrases are found in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages import words
from pipeline.stages.words import Hit, Phrases, Words

WRITTEN = (
    "F-16|F16s|MiG|29|U.S.|'s|’S|s|Navy|NAVY|navy|of|the|Т-72|战机|Ｆ－３５|Séoul|-|(|)|Type|055|1|é|한국|§| |\n|, |. "
)
PIECES = st.sampled_from(WRITTEN.split("|"))
TEXTS = st.lists(PIECES | st.text(min_size=1, max_size=1), max_size=25).map("".join)
LISTED = ["Navy", "the Navy", "F-16", "Type 055", "US", "Navy of the US", "of", "Séoul", "战机", "MiG-29"]


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("F-16, F16 and f-16s", ["f16", "f16", "and", "f16"]),
        ("MiG 29, MiG-29 and MiG, 29", ["mig29", "mig29", "and", "mig", "29"]),
        ("F 16 but A 16, Type 2, Type 055s", ["f16", "but", "a", "16", "type", "2", "type055"]),
        ("29 MiG", ["29", "mig"]),
        ("the F‑35A or F‐35A", ["the", "f35a", "or", "f35a"]),
        ("С-400, МиГ-31К, Х-101", ["s400", "mig31k", "kh101"]),
        ("F-16战机和Ｆ－３５、Ｆ１５", ["f16", "战机和", "f35", "f15"]),
        ("U.S. forces, the U.S.'s (U.K.)", ["us", "forces", "the", "us", "uk"]),
        ("Ukraine's army; the sailors' pay", ["ukraine", "army", "the", "sailors", "pay"]),
        ("J-20S and J-20s", ["j20s", "and", "j20"]),
        ("'s-Hertogenbosch", ["s", "hertogenbosch"]),
        ("Türkiye — 3rd", ["türkiye", "3rd"]),
        ("", []),
    ],
)
def test_a_text_is_cut_into_words(written: str, keys: list[str]) -> None:
    assert words.read(written).keys == keys


@given(TEXTS)
def test_keys_stand_beside_their_surfaces(text: str) -> None:
    keys, surfaces, chunks, others, _ = words.read(text)
    assert len(chunks) == len(keys)
    assert keys == [words.key(surface) for surface in surfaces]
    assert all(keys)
    assert others == [at for at, surface in enumerate(surfaces) if not surface.isalpha()]


def all_places(text: str) -> list[tuple[int, int]]:
    places = words.places(text, range(len(words.read(text).keys)))
    return [places[at] for at in sorted(places)]


@given(TEXTS)
def test_places_agree_with_words(text: str) -> None:
    places = all_places(text)
    assert [" ".join(text[start:end].split()) for start, end in places] == words.read(text).surfaces


def test_a_number_written_apart_belongs_to_its_place() -> None:
    assert all_places("a MiG  29s, 9/29") == [(0, 1), (2, 10), (12, 13), (14, 16)]
    assert all_places("a MiG 29/9") == [(0, 1), (2, 8), (9, 10)]


def test_any_white_space_parts_words() -> None:
    assert all_places("a\t\tMiG \n 29s\r\nb") == [(0, 1), (3, 12), (14, 15)]


def test_a_possessive_has_no_place() -> None:
    assert all_places("Jack's s, 's") == [(0, 4), (7, 8), (11, 12)]


@given(TEXTS)
def test_places_follow_each_other_and_leave_out_only_possessives(text: str) -> None:
    end = 0
    for start, after in [*all_places(text), (len(text), len(text))]:
        assert end <= start <= after
        assert "".join(filter(str.isalnum, text[end:start])).lower() in ("", "s")
        end = after


def find(text: str, *listed: str) -> list[tuple[str, str]]:
    read = words.read(text)
    hits = Phrases([(phrase, phrase) for phrase in listed]).find(read)
    return [(" ".join(read.surfaces[hit.start : hit.end]), hit.value) for hit in hits]


@pytest.mark.parametrize(
    ("text", "listed", "found"),
    [
        pytest.param("the US Navy said", ["US", "US Navy"], [("US Navy", "US Navy")], id="the longest wins"),
        pytest.param("US Nav", ["US", "US Navy"], [("US", "US")], id="a shorter one when the longer does not fit"),
        pytest.param("in Iron", ["Iron Dome"], [], id="no phrase beyond the end"),
        pytest.param("Red Sea Fleet", ["Red Sea", "Sea Fleet"], [("Red Sea", "Red Sea")], id="a word is used once"),
        pytest.param("an apache", ["Apache"], [], id="a capital is asked for"),
        pytest.param("AN APACHE", ["Apache"], [("APACHE", "Apache")], id="capitals are heard"),
        pytest.param("US, us; Us", ["US"], [("US", "US")], id="short words are taken exactly"),
        pytest.param("IT IN IRAN", ["It", "Iran"], [("IRAN", "Iran")], id="short words are not heard"),
        pytest.param("Trade War", ["trade war"], [("Trade War", "trade war")], id="lower case in any case"),
        pytest.param("f16 F-16S", ["F-16"], [("f16", "F-16"), ("F-16S", "F-16")], id="designators in any case"),
        pytest.param("the U.S. Navy", ["US Navy"], [("U.S. Navy", "US Navy")], id="stops do not matter"),
        pytest.param("the US Navy", ["U.S. Navy"], [("US Navy", "U.S. Navy")], id="nor where listed"),
        pytest.param("MI6, Mi-6", ["Mi-6", "MI6"], [("MI6", "MI6"), ("Mi-6", "Mi-6")], id="exact spelling first"),
        pytest.param("Şahin ŞAHIN", ["Şahin"], [("Şahin", "Şahin"), ("ŞAHIN", "Şahin")], id="letters of Türkiye"),
        pytest.param("Type 055 and Type 9", ["Type 055"], [("Type 055", "Type 055")], id="a number apart"),
        pytest.param("Type nine", ["Type nine"], [("Type nine", "Type nine")], id="no number apart"),
        pytest.param("(US) — army", ["— army", "(US)", "—", ""], [("US", "(US)"), ("army", "— army")], id="marks"),
    ],
)
def test_phrases_are_found(text: str, listed: list[str], found: list[tuple[str, str]]) -> None:
    assert find(text, *listed) == found


@pytest.mark.parametrize(
    ("written", "stem"),
    [("F-16D", "F-16"), ("Su-30MKI", "Su-30M"), ("Su-30SM", "Su-30"), ("F-160D", None), ("2A4", None), ("B-2", None)],
)
def test_a_designator_stands_for_its_longest_stem(written: str, stem: str | None) -> None:
    assert find(written, "F-16", "Su-30", "Su-30M") == ([(written, stem)] if stem else [])


def test_the_first_listing_counts() -> None:
    phrases = Phrases([("Iron Dome", 1), ("Iron Dome", 2)])
    assert list(phrases.find(words.read("Iron Dome"))) == [Hit(0, 2, 1)]


def test_it_is_known_which_words_begin_phrases() -> None:
    phrases = Phrases([("F-16 jet", 1), ("war", 2)])
    assert [phrases.has(word) for word in ("F-16", "F16", "jet", "War")] == [True, False, False, True]


@given(TEXTS)
def test_hits_do_not_overlap_and_say_what_they_found(text: str) -> None:
    read = words.read(text)
    phrases = Phrases([(phrase, phrase) for phrase in LISTED])
    end = 0
    for hit in phrases.find(read):
        assert end <= hit.start < hit.end
        assert read.keys[hit.start + 1 : hit.end] == words.read(hit.value).keys[1:]
        assert read.keys[hit.start].startswith(words.read(hit.value).keys[0])
        end = hit.end


@given(st.lists(st.sampled_from(LISTED), max_size=8))
def test_what_is_listed_is_found_again_and_again(chosen: list[str]) -> None:
    phrases = Phrases([(phrase, phrase) for phrase in LISTED])
    read = words.read(" § . ".join(chosen))
    found = [hit.value for hit in phrases.find(Words(*read))]
    assert [hit.value for hit in phrases.find(read)] == found
    assert len(found) <= len(chosen)
    assert set(found) <= set(LISTED)


def test_a_phrase_at_the_end_of_a_text_ends_with_it() -> None:
    phrases = Phrases([("air drill", 1), ("air drill with live bombs", 2)])
    assert [(hit.start, hit.end) for hit in phrases.find(words.read("a joint air drill"))] == [(2, 4)]
