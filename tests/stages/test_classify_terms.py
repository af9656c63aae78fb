"""Terms are found where a reader sees them: folded alike, the longest first, in the letters as given."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.classify.terms import Term, Terms, fold


def found(lang: str, terms: str, text: str) -> list[tuple[str, str]]:
    """The terms found, with the text that each stands for."""
    ready = Terms(lang, [Term(term, 1.0, None) for term in terms.split("|")])
    return [(hit.term.listed, text[hit.start : hit.end]) for hit in ready.find(text)]


@pytest.mark.parametrize(
    ("lang", "term", "text", "surface"),
    [
        ("de", "waffen", "Mehr WAFFEN für Kiew", "WAFFEN"),
        ("ru", "полет*", "Полёты над морем", "Полёты"),
        ("ru", "замок", "За\u0301мок взят", "За\u0301мок"),
        ("tr", "istihbarat*", "İSTİHBARATIN raporu", "İSTİHBARATIN"),
        ("tr", "saldırı*", "SALDIRIDA üç ölü", "SALDIRIDA"),
        ("ar", "اسلحة", "أَسْلِحَة جديدة", "أَسْلِحَة"),
        ("ar", "جيش", "الجيـــش يتقدم", "جيـــش"),
        ("fa", "موشک های", "موشك‌هاي جدید", "موشك‌هاي"),
        ("fa", "اف 16", "اف-۱۶ سقوط کرد", "اف-۱۶"),
        ("he", 'צה"ל', "צה״ל תקף", "צה״ל"),
        ("hi", "लड़ाकू", "लड\u093cाकू विमान", "लड\u093cाकू"),
        ("el", "πόλεμος", "Ο ΠΟΛΕΜΟΣ συνεχίζεται", "ΠΟΛΕΜΟΣ"),
        ("ro", "forțe", "Noi forţe la graniță", "forţe"),
        ("ja", "ミサイル", "新型ﾐｻｲﾙ配備", "ﾐｻｲﾙ"),
        ("ja", "ドローン", "ト\u3099ローン攻撃", "ト\u3099ローン"),
        ("ko", "155mm", "155㎜ 포탄", "155㎜"),
        ("zh", "f-16", "Ｆ－１６战机", "Ｆ－１６"),
        ("fr", "l'armée", "L’arme\u0301e avance", "L’arme\u0301e"),
        ("de", "panzer", "Pan\u00adzer™ rollt", "Pan\u00adzer"),
        ("ko", "한·미", "한ㆍ미 훈련", "한ㆍ미"),
    ],
)
def test_text_and_terms_are_folded_alike_and_places_are_those_of_the_text_as_given(
    lang: str, term: str, text: str, surface: str
) -> None:
    assert found(lang, term, text) == [(term, surface)]


@pytest.mark.parametrize(
    ("lang", "terms", "text", "expected"),
    [
        (
            "de",
            "krieg|handelskrieg",
            "Handelskrieg statt Krieg",
            [("handelskrieg", "Handelskrieg"), ("krieg", "Krieg")],
        ),
        ("fr", "guerre|guerre commerciale", "La guerre commerciale", [("guerre commerciale", "guerre commerciale")]),
        ("ru", "ракет*|ракетн* удар*", "Ракетными ударами по", [("ракетн* удар*", "Ракетными ударами")]),
        ("ru", "ракетн* удар*|ракет*", "Ракетными системами", [("ракет*", "Ракетными")]),
        ("ru", "танк*|танк", "Танк горит", [("танк", "Танк")]),
        ("uk", "штурм|танк", "штурману, танки", []),
        ("fr", "armée", "L'armée, Inter-armée", [("armée", "armée"), ("armée", "armée")]),
        ("it", "'ndrangheta", "La 'ndrangheta", [("'ndrangheta", "'ndrangheta")]),
        ("pl", "gen.", "gen.Nowak", [("gen.", "gen.")]),
        ("es", "f-16*", "F-16C y F 16", [("f-16*", "F-16C"), ("f-16*", "F 16")]),
        ("es", "hwasong-*", "Hwasong-17 y Hwasong 17", [("hwasong-*", "Hwasong-17")]),
        ("de", "*rakete*", "Hyperschallraketen", [("*rakete*", "Hyperschallraketen")]),
        ("de", "*krieg", "Handelskrieg, Krieger", [("*krieg", "Handelskrieg")]),
        ("de", "*panzer*|panzerglas*", "Panzerglasscheibe", [("panzerglas*", "Panzerglasscheibe")]),
        ("hi", "सेना", "सेना। सेनापति", [("सेना", "सेना")]),
        ("de", "zwei worte", "zwei\nWorte", []),
    ],
)
def test_the_longest_term_wins_and_a_whole_word_beats_a_stem(
    lang: str, terms: str, text: str, expected: list[tuple[str, str]]
) -> None:
    assert found(lang, terms, text) == expected


@pytest.mark.parametrize(
    ("lang", "terms", "text", "expected"),
    [
        ("zh", "军|海军", "中国海军与陆军", [("海军", "海军"), ("军", "军")]),
        ("ko", "미사일|ai", "북한미사일 AI는 RAIN", [("미사일", "미사일"), ("ai", "AI")]),
        ("ja", "f-16", "米F-16戦闘機とAF-16とF-161", [("f-16", "F-16")]),
        ("th", "ขีปนาวุธ", "ทดสอบขีปนาวุธใหม่", [("ขีปนาวุธ", "ขีปนาวุธ")]),
        ("und", "nato|drone*", "MINATO, NATOのDronesに", [("nato", "NATO"), ("drone*", "Drones")]),
    ],
)
def test_where_words_are_not_parted_only_latin_letters_need_an_edge(
    lang: str, terms: str, text: str, expected: list[tuple[str, str]]
) -> None:
    assert found(lang, terms, text) == expected


@pytest.mark.parametrize(
    ("lang", "terms", "text", "expected"),
    [
        ("he", "צבא", "והצבא", [("צבא", "צבא")]),
        ("he", "מלחמה|חמה", "מלחמה", [("מלחמה", "מלחמה")]),
        ("ar", "جيش|الجيش", "والجيش", [("الجيش", "الجيش")]),
        ("ar", "دفاع", "للدفاع", [("دفاع", "دفاع")]),
        ("ar", "سلام|لام", "سلام", [("سلام", "سلام")]),
        ("fa", "جنگ", "وجنگ", []),
    ],
)
def test_hebrew_and_arabic_prefixes_are_taken_off_but_what_stands_there_as_it_is_comes_first(
    lang: str, terms: str, text: str, expected: list[tuple[str, str]]
) -> None:
    assert found(lang, terms, text) == expected


def test_of_two_spellings_that_are_one_the_first_is_kept() -> None:
    assert found("fr", "l'armée|l’armée", "l’armée") == [("l'armée", "l’armée")]


@given(st.text())
def test_folding_keeps_the_place_of_every_character(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    places = list(zip(folded.starts, folded.ends, strict=True))
    assert places == sorted(places)
    assert all(0 <= start < end <= len(text) for start, end in places)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    once = fold(text).text
    assert fold(once).text == once


TERMS = ["krieg*", "handelskrieg", "*panzer*", "f-16", "nato", "see krieg", "see* kriege*", "taurus-*", "gen."]
PIECES = ["Krieg", "krieger", "handels", "handelskrieg", "Panzer", "F-16", "F 16C", "NATO", "See", "taurus", "gen."]


@given(st.lists(st.sampled_from([*PIECES, " ", "-", ".", "\n", "é", "x"])).map("".join))
def test_what_is_found_shares_no_character_and_is_what_a_plain_search_finds(text: str) -> None:
    hits = list(Terms("de", [Term(term, 1.0, None) for term in TERMS]).find(text))
    assert [(hit.term.listed, hit.start, hit.end) for hit in hits] == plainly(text)


def plainly(text: str) -> list[tuple[str, int, int]]:
    """The same by the definition: at each word, every term as a regular expression."""
    lowered = text.lower().replace("-", " ")
    hits, free = [], 0
    for at in range(len(text)):
        if at < free or lowered[at].isspace() or (at and re.fullmatch(r"\w\w", lowered[at - 1 : at + 1])):
            continue
        ends = {term: match.end() for term in TERMS if (match := pattern(term).match(lowered, at))}
        if ends.get("taurus-*") and text[at + len("taurus")] != "-":
            del ends["taurus-*"]
        if ends:
            best = max(ends, key=lambda term: (len(term.replace("*", "")), "*" not in term))
            free = ends[best]
            hits.append((best, at, free))
    return hits


def pattern(term: str) -> re.Pattern[str]:
    edge = "" if term.endswith(("*", ".")) else r"(?!\w)"
    return re.compile(re.escape(term.replace("-", " ")).replace(r"\*", r"\w*").replace(r"\ ", " ") + edge)
