"""Bylines -> people: whom a byline names, and which lines are bylines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.extract.authors import (
    credited,
    first_people,
    is_full,
    names,
    reconciled,
    shown,
    signed,
    standing_alone,
)


@pytest.mark.parametrize(
    ("byline", "people"),
    [
        ("Jane Doe", ("Jane Doe",)),
        ("By Jane Doe and John Roe", ("Jane Doe", "John Roe")),
        ("Written by: Jane Doe", ("Jane Doe",)),
        ("Jane Doe, John Roe & Ann Poe", ("Jane Doe", "John Roe", "Ann Poe")),
        ("Jane Doe; Jane Doe | John Roe", ("Jane Doe", "John Roe")),
        ("Doe, Jane", ("Jane Doe",)),
        ("Jane Doe, PhD", ("Jane Doe",)),
        ("Jane Doe, Reuters, John Roe", ("Jane Doe", "John Roe")),
        ("Byron Smith", ("Byron Smith",)),
        ("By", ()),
        ("jane@example.com", ()),
        ("https://example.com/jane", ()),
        ("x" * 81, ()),
        ("Jane Doe, " * 400, ()),
    ],
)
def test_a_byline_is_split_into_people(byline: str, people: tuple[str, ...]) -> None:
    assert names(byline) == people


@given(st.text())
def test_any_byline_is_split_into_different_short_names(byline: str) -> None:
    found = names(byline)
    assert len(set(found)) == len(found)
    assert all(name and name == name.strip() for name in found)


@pytest.mark.parametrize(
    ("byline", "people"),
    [
        pytest.param("By Jane Doe, MD, FOMA and John Roe, PhD", ("Jane Doe", "John Roe"), id="credentials"),
        pytest.param("Jane Doe, Senior Defense Reporter", ("Jane Doe",), id="role behind a comma"),
        pytest.param("Will Judd Former Deputy Tech Editor", ("Will Judd",), id="role without one"),
        pytest.param("Jane Doe, Arms and Army Editor & Ann Poe", ("Jane Doe", "Ann Poe"), id="role of two parts"),
        pytest.param("Jane Doe, Head of Arms and Army", ("Jane Doe",), id="head of two things"),
        pytest.param("Jane Doe, John Roe and Ann Poe, editor", ("Jane Doe", "John Roe", "Ann Poe"), id="role of one"),
        pytest.param("Category: Top Picks", (), id="a label"),
        pytest.param("Interview by Jane Doe", ("Jane Doe",), id="interview"),
        pytest.param("Lance Ryan (Content Manager)", ("Lance Ryan",), id="role in brackets"),
        pytest.param("By Staff Sgt. Jane Doe", ("Jane Doe",), id="rank"),
        pytest.param("Petty Officer 2nd Class John Roe", ("John Roe",), id="naval rank"),
        pytest.param("Mass Communication Specialist 2nd Class Ann Poe", ("Ann Poe",), id="rating"),
        pytest.param("Lt. Col. John Roe", ("John Roe",), id="abbreviated rank"),
        pytest.param("Dr. Jane Doe", ("Jane Doe",), id="form of address"),
        pytest.param("Jane Doe \u25cf December 23, 2024", ("Jane Doe",), id="date after it"),
        pytest.param("By Jane Doe in London", ("Jane Doe",), id="place"),
        pytest.param("Maria &amp; Katerina", ("Maria", "Katerina"), id="escaped"),
        pytest.param("\u201cDavid Kim\u201d", ("David Kim",), id="quotes"),
        pytest.param("Robert Service", ("Robert Service",), id="a name that is a word"),
        pytest.param("Written by Jane van der Doe", ("Jane van der Doe",), id="particles"),
        pytest.param("Alle Artikel von Anna Schmidt", ("Anna Schmidt",), id="German, a link to her articles"),
        pytest.param("Von Anna Schmidt und Jörg Meier", ("Anna Schmidt", "Jörg Meier"), id="German"),
        pytest.param("Da Wei", ("Da Wei",), id="a name that begins like a byline"),
        pytest.param("Автор: Иван Петренко", ("Иван Петренко",), id="Cyrillic"),
        pytest.param("記者 王小明", ("王小明",), id="Chinese"),
        pytest.param("Staff", (), id="staff"),
        pytest.param("The Editorial Team", (), id="team"),
        pytest.param("Reuters", (), id="agency"),
        pytest.param("Press Office", (), id="office"),
        pytest.param("admin", (), id="account"),
        pytest.param("https://www.facebook.com/jane.doe", (), id="address"),
    ],
)
def test_a_byline_names_people_and_nothing_else(byline: str, people: tuple[str, ...]) -> None:
    assert names(byline) == people


@pytest.mark.parametrize(
    ("name", "is_person"),
    [
        ("Jane Doe", True),
        ("jane doe", True),
        ("Ludwig van der Rohe", True),
        ("O'Brien", False),
        ("Jane", False),
        ("Jane doe", False),
        ("王小明", True),
        ("Aa Bb Cc Dd Ff Gg Hh", False),
    ],
)
def test_a_full_name_has_a_given_and_a_family_name(name: str, is_person: bool) -> None:
    assert is_full(name) is is_person


@pytest.mark.parametrize(
    ("lines", "bylines"),
    [
        pytest.param(["By Jane Doe"], ["Jane Doe"], id="one line"),
        pytest.param(["July 10, 2025 | By Jane Doe"], ["Jane Doe"], id="after a date"),
        pytest.param(["By", "Jane Doe", "John Roe"], ["Jane Doe"], id="next line"),
        pytest.param(["By", "Europe Desk", "Jane Doe"], ["Jane Doe"], id="soon after"),
        pytest.param(["By", "one", "two", "three", "Jane Doe"], [], id="too late"),
        pytest.param(["By Frigate Delivered"], [], id="words of the title"),
        pytest.param(["Jane Doe"], [], id="no byline"),
        pytest.param(["Bystanders saw Jane Doe"], [], id="another word"),
    ],
)
def test_a_byline_begins_with_by(lines: list[str], bylines: list[str]) -> None:
    assert list(signed(lines, "Frigate delivered")) == bylines


@pytest.mark.parametrize(
    ("lines", "people"),
    [
        (["Jane Doe", "July 10"], ["Jane Doe"]),
        (["July 10", "Jane Doe"], ["Jane Doe"]),
        (["July 10 | Jane Doe"], ["Jane Doe"]),
        (["Jane Doe", "Defense Reporter"], ["Jane Doe"]),
        (["Jane Doe", "The reporter was there all night"], []),
        (["Jane Doe", "Reporter"], ["Jane Doe"]),
        (["Jane Doe", "World"], []),
        (["Jane Doe Went To Seoul For Talks", "July 10"], []),
    ],
)
def test_who_stands_beside_a_date_or_above_a_role_is_the_author(lines: list[str], people: list[str]) -> None:
    assert list(standing_alone(lines, "Frigate delivered", lambda text: text.startswith("July"))) == people


def test_what_is_shown_counts_only_as_a_full_name() -> None:
    assert shown("Jane Doe & more", "") == "Jane Doe"
    assert shown("jane doe", "") is None


@pytest.mark.parametrize(
    ("sources", "people"),
    [
        pytest.param([["admin"], ["Jane Doe"]], ("Jane Doe",), id="the first that names anybody"),
        pytest.param([["jdoe"], ["Jane Doe"]], ("Jane Doe",), id="a full name before a handle"),
        pytest.param([["jdoe"], ["jroe"]], ("jdoe",), id="the first handle"),
        pytest.param([["Jane Blog"], ["John Roe"]], ("John Roe",), id="a person before the outlet"),
        pytest.param([["Jane Blog"]], ("Jane Blog",), id="an outlet with a person's name"),
        pytest.param([["Blog"]], (), id="an outlet"),
        pytest.param([["Jane Doe", "Blog"]], ("Jane Doe",), id="both"),
    ],
)
def test_the_best_source_names_the_people(sources: list[list[str]], people: tuple[str, ...]) -> None:
    assert first_people(sources, [], lambda name: name.endswith("Blog")) == people


@pytest.mark.parametrize(
    ("told", "hinted", "people"),
    [
        pytest.param([["Jane Doe"]], [["John Roe"]], ("Jane Doe",), id="a full name is told"),
        pytest.param([["Jane"]], [["John Roe"]], ("Jane",), id="a given name is told"),
        pytest.param([["jdoe"]], [["Jane Doe"]], ("Jane Doe",), id="a nickname is told"),
        pytest.param([[]], [["John Roe"]], ("John Roe",), id="nobody is told"),
    ],
)
def test_hints_count_only_where_nobody_is_told(
    told: list[list[str]], hinted: list[list[str]], people: tuple[str, ...]
) -> None:
    assert first_people(told, hinted, lambda _: False) == people


@pytest.mark.parametrize(
    ("lines", "people"),
    [
        pytest.param(["This post was written by Jane Doe, Head of Arms"], ["Jane Doe"], id="in a sentence"),
        pytest.param(["Article by", "Jane Doe"], ["Jane Doe"], id="line before"),
        pytest.param(["About the author", "Jane Doe is a colonel. She sails."], ["Jane Doe"], id="introduction"),
        pytest.param(["About the author", "More to read"], [], id="no name"),
        pytest.param(["Photo by Jane Doe"], [], id="a picture"),
        pytest.param(["Jane Doe"], [], id="no credit"),
    ],
)
def test_a_credit_counts_wherever_it_stands(lines: list[str], people: list[str]) -> None:
    assert list(credited(lines, "Frigate delivered")) == people


@pytest.mark.parametrize(
    ("told", "seen", "people"),
    [
        (("Jane Doe", "John Roe"), ("jane doe",), ("Jane Doe", "John Roe")),
        (("Site Account",), ("Jane Doe",), ("Jane Doe",)),
        (("Jane Doe",), ("Jane Doe Head Launches",), ("Jane Doe",)),
        (("Jane Doe",), (), ("Jane Doe",)),
    ],
)
def test_who_signed_wins_over_who_posted(told: tuple[str, ...], seen: tuple[str, ...], people: tuple[str, ...]) -> None:
    assert reconciled(told, seen) == people


def test_a_labelled_byline_does_not_end_the_search_for_others() -> None:
    assert [*signed(["김철수 기자", "By Jane Doe"], "")] == ["김철수", "Jane Doe"]
