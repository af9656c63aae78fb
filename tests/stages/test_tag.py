"""The tagger: entities by the words around them, countries by prominence, datelines, other languages."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages import tag
from tests import make

TAGGER = tag.load()
FILLER = "They said that it would go on as before and that nobody there had heard of any other plan yet . " * 4
WORKED_EXAMPLE = (
    "South Korea, the US and Japan flew joint air drills near Jeju on July 11 with a B-52H, South Korean KF-16s and "
    "Japanese F-2s. It is a response to North Korea's nuclear and missile threats. The three military chiefs met in "
    "Seoul, warned of a build-up by North Korea and China, and agreed to expand the Freedom Edge exercises."
)


def tags(title: str = "", text: str = "", lang: str | None = "en") -> tag.Tags:
    return TAGGER.tag(make.article(title=title, text=text, lang=lang))


def names(*parts: Any) -> list[str]:
    return [name for name, _ in tags(*parts).entities]


def test_the_codebooks_example_is_tagged_as_it_says() -> None:
    found = tags("", WORKED_EXAMPLE)
    assert set(found.countries) == {"KR", "US", "JP", "KP", "CN"}
    assert found.entities == (
        ("B-52H", "system"), ("KF-16", "system"), ("F-2", "system"), ("Freedom Edge", "exercise"),
    )  # fmt: skip


def test_the_tagger_is_read_once_and_says_its_name() -> None:
    assert tag.load() is TAGGER
    assert TAGGER.name == tag.NAME


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Four F-16s, an F-16D Block 50 and f-16 fighters", ["F-16", "F-16D"]),
        ("HIMARS fired; the High Mobility Artillery Rocket System reloaded", ["HIMARS"]),
        ("Rafales escort a KC-135", ["Rafale", "KC-135"]),
        ("MiG 29 and Su 30MKI", ["MiG-29", "Su-30MKI"]),
        ("The US Army and the U.S. Army", ["US Army"]),
        ("Ukraine's Defence Ministry, Lockheed Martin's", ["Ukrainian Ministry of Defence", "Lockheed Martin"]),
        ("F-16战机与Ｆ－３５", ["F-16", "F-35"]),
        ("ракеты С-400 и Х-101", ["S-400", "Kh-101"]),
        ("an apache, a patriot and a tiger", []),
    ],
)  # fmt: skip
def test_entities_are_named_once_in_order(text: str, found: list[str]) -> None:
    assert names("", text) == found


@pytest.mark.parametrize(
    ("text", "is_meant"),
    [
        pytest.param("A-10 jets strafed the hill", True, id="a military word beside it"),
        pytest.param("The A-10 and the F-16", True, id="a sure name of its kind beside it"),
        pytest.param("Traffic on the A-10 near Tours", False, id="nothing beside it"),
        pytest.param("A10 jets strafed the hill", False, id="a marked designator written carelessly"),
        pytest.param(f"A-10 {FILLER} jets", False, id="too far from it"),
    ],
)
def test_a_marked_form_counts_near_military_words(text: str, is_meant: bool) -> None:
    assert ("A-10" in names("", text)) is is_meant


@pytest.mark.parametrize(
    ("text", "is_meant"),
    [
        ("The laptop, an F15, costs less", False),
        ("Two F15 jets took off", True),
        ("The F-15 costs more", True),
        ("the b-52s sang", False),
    ],
)
def test_a_designator_written_carelessly_needs_a_military_word(text: str, is_meant: bool) -> None:
    assert bool(names("", text)) is is_meant


def test_an_exercise_of_a_common_name_needs_the_word() -> None:
    assert "Northern Edge" in names("", "The exercise is called Northern Edge.")
    assert "Northern Edge" not in names("", "Troops camped on the Northern Edge of the town.")


def test_title_and_text_share_their_context_but_no_name() -> None:
    assert "A-10" in names("More A-10 flights", "Jets were seen.")
    assert "US Army" not in names("Of the US", "Army men came.")


def test_entities_are_found_in_the_whole_text_and_not_beyond() -> None:
    long = FILLER * 40
    assert names("", f"{long} HIMARS") == ["HIMARS"]
    assert names("", f"{long * 3} HIMARS") == []


@pytest.mark.parametrize(
    ("title", "text", "countries"),
    [
        ("Japan and Poland sign pact", "Warsaw said that Ukraine and Poland ...", ("PL", "JP", "UA")),
        ("", "France, Spain, Spain and Italy", ("ES", "FR", "IT")),
        ("Ships cross the Indian Ocean off the Latin American coast", "", ()),
        ("North Korea fires missile", "", ("KP",)),
        ("Korea and the two Koreas", "", ("KR", "KP")),
        ("Papua New Guinea and Equatorial Guinea", "", ("PG", "GQ")),
        ("Guinea-Bissau; DR Congo; Republic of the Congo", "", ("GW", "CD", "CG")),
        ("Northern Ireland", "", ("GB",)),
        ("Britain spends US$3 million", "", ("GB",)),
        ("They told us", "", ()),
        ("Georgia and Russia", "", ("GE", "RU")),
        ("Georgia and Texas", "", ("US",)),
        ("Senate votes", "", ("US",)),
        ("Senate votes in Manila", "", ("PH",)),
        ("Nothing", f"{FILLER} Chile", ()),
        ("Nothing", f"{FILLER} Chile and Chile", ("CL",)),
        ("Nothing", f"{FILLER * 4} Chile and Chile", ()),
    ],
)
def test_countries_are_those_named_by_prominence(title: str, text: str, countries: tuple[str, ...]) -> None:
    assert tags(title, text).countries == countries


@pytest.mark.parametrize(
    "dateline",
    ["SEOUL, July 11 (Yonhap) -- ", "SEOUL — ", "SEOUL (AP) — ", "SEOUL, South Korea — ", "SEOUL: ", "Seoul (dpa) - ",
     "Seoul, 12 May – "],
)  # fmt: skip
def test_a_dateline_is_no_subject(dateline: str) -> None:
    assert tags("", f"{dateline}Peru bought ships.").countries == ("PE",)


def test_a_dateline_counts_where_nothing_else_is_named() -> None:
    assert tags("", "SEOUL — The government met.").countries == ("KR",)


@pytest.mark.parametrize(
    ("title", "countries"),
    [
        pytest.param("Bundeswehr for Peru", ("PE", "DE"), id="a force"),
        pytest.param("IRGC for Peru", ("IR", "PE"), id="another"),
        pytest.param("Rheinmetall for Peru", ("DE", "PE"), id="a firm"),
        pytest.param("HIMARS for Peru", ("PE",), id="no system beside a country"),
        pytest.param("HIMARS in a row", ("US",), id="a system alone"),
        pytest.param("NATO in a row", (), id="nobody's"),
    ],
)
def test_forces_and_firms_speak_for_their_countries(title: str, countries: tuple[str, ...]) -> None:
    assert set(tags(title).countries) == set(countries)


def test_forces_named_late_do_not_speak() -> None:
    assert tags("Peru", f"{FILLER * 4} IRGC and IRGC").countries == ("PE",)


CODES = {"Ukraine": "UA", "Peru": "PE"}
PLACES = ("Ukraine", "Peru", "Georgia", "Senate", "the IRGC", "F-16", "HIMARS", "MOSCOW — ", "—", "jets", ".", "Tiger")


@given(st.sets(st.sampled_from(sorted(CODES))), st.lists(st.sampled_from(PLACES), max_size=12))
def test_tags_are_distinct_and_those_of_the_title_come_first(title: set[str], text: list[str]) -> None:
    found = tags(" and ".join(title), " ".join(text))
    assert len(set(found.countries)) == len(found.countries)
    assert len(set(found.entities)) == len(found.entities)
    assert set(found.countries[: len(title)]) == {CODES[name] for name in title}
