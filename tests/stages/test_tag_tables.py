"""The tables of the tagger: what they may hold, so that an edit by hand cannot break them unseen."""

import gzip
import re
from collections import Counter
from importlib import resources

import pytest

from pipeline.stages import words
from pipeline.stages.tag import abroad, countries, entities, index, tables
from pipeline.stages.words import Phrases

CODES = frozenset(  # ISO 3166-1, and XK
    re.findall(
        r"\w+",
        """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC
    CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD
    GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH
    KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW
    MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC
    SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY
    UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
    """,
    )
)
LANGUAGES = sorted(tables.languages())


def test_every_table_says_what_it_is() -> None:
    for folder in ("countries", "entities"):
        for table in resources.files("pipeline.stages.tag").joinpath("gazetteer", folder).iterdir():
            assert table.read_text(encoding="utf-8").startswith("# "), table.name


def test_every_table_of_entities_is_read() -> None:
    folder = resources.files("pipeline.stages.tag").joinpath("gazetteer", "entities")
    assert {table.name for table in folder.iterdir()} == {f"{kind}.tsv" for kind in (*entities.KINDS, "near")}


@pytest.mark.parametrize("kind", entities.KINDS)
def test_entities_have_a_name_a_country_and_perhaps_aliases(kind: str) -> None:
    for name, country, *aliases in tables.lines("entities", kind):
        assert country in CODES | {countries.NOWHERE}, name
        assert len(aliases) <= 1, name
        for form in (name, *(alias for listed in aliases for alias in listed.split("|"))):
            assert form == form.strip(), name
            assert words.read(form.removeprefix(tables.UNSURE)).keys, name


def test_no_form_stands_for_two_entities() -> None:
    listed = Counter(
        form.removeprefix(tables.UNSURE)
        for kind in entities.KINDS
        for name, _, *aliases in tables.lines("entities", kind)
        for form in (name, *(alias for several in aliases for alias in several.split("|")))
    )
    assert [form for form, times in listed.items() if times > 1] == []


def test_the_indexes_that_ship_are_made_from_the_tables() -> None:
    for file, data in index.written().items():
        assert gzip.decompress(file.read_bytes()) == gzip.decompress(data), file


def test_the_index_finds_the_entities_that_the_tables_list() -> None:
    text = words.read(" . ".join(form for form, _ in entities.forms()))
    assert list(index.entities().find(text)) == list(Phrases(entities.forms()).find(text))


def test_the_index_finds_the_countries_that_the_table_lists() -> None:
    listed = countries.forms(countries.ENGLISH)
    text = words.read(" . ".join(listed))
    found = list(index.countries().find(text))
    assert found == list(Phrases(listed.items()).find(text))
    some = {countries.Place(()), countries.Place(("US",)), countries.Place(("GE",), countries.BESIDE)}
    assert some <= {hit.value for hit in found}


def test_no_name_is_an_ordinary_word_in_lower_case() -> None:
    forms = [form for form, _ in entities.forms() if form.isalpha()]
    assert len(forms) > 1000
    hits = Phrases(entities.forms()).find(words.read(" . ".join(forms).lower()))
    assert {hit.value.name for hit in hits} == {"armasuisse"}  # writes itself so


def test_every_kind_has_words_that_go_with_it() -> None:
    kinds = [kind for listed, _ in tables.lines("entities", "near") for kind in listed.split("|")]
    assert sorted(kinds) == sorted(entities.KINDS)
    near = [word for _, listed in tables.lines("entities", "near") for word in listed.split("|")]
    assert [word for word in near if words.read(word).keys != [word]] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_countries_have_codes_and_no_form_twice(language: str) -> None:
    rows = list(tables.lines("countries", language))
    assert {code for code, _ in rows} <= CODES | {countries.NOWHERE}
    forms = [(code, form.lstrip("?!")) for code, listed in rows for form in listed.split("|")]
    assert all(form == form.strip() != "" for _, form in forms)
    assert [form for form, times in Counter(forms).items() if times > 1] == []


def test_english_names_every_country() -> None:
    assert {code for code, _ in tables.lines("countries", "en")} >= CODES


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != countries.ENGLISH])
def test_forms_of_other_languages_are_in_lower_case(language: str) -> None:
    forms = countries.forms(language)
    assert [form for form in forms if form != form.lower() or len(form) < 2] == []
    assert all(place.codes and not place.condition for place in forms.values())


def test_every_language_spoken_of_has_a_table() -> None:
    known = set(abroad.HOME)
    assert known <= tables.languages()
    assert set(abroad.HOME.values()) <= CODES
