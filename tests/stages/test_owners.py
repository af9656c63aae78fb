"""Who tells of an event: families of outlets, agencies, governments, and sites that nobody knows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline import urls
from pipeline.query.countries import COUNTRIES
from pipeline.stages import owners
from pipeline.stages.agencies import AGENCIES
from pipeline.stages.owners import Owner, Told, families, owner

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
LINES = Path(owners.__file__).with_name("owners.tsv").read_text(encoding="utf-8").splitlines()[1:]
ROWS = [tuple(line.split("\t")) for line in LINES]


def test_every_line_of_the_table_names_a_country_registered_domains_and_known_agencies() -> None:
    for family, country, sites, agencies in ROWS:
        assert family.strip() == family
        assert country in COUNTRIES, family
        assert [urls.site(f"https://{site}/") for site in sites.split()] == sites.split()
        assert set(filter(None, agencies.split("|"))) <= set(AGENCIES), family


def test_no_site_has_two_owners() -> None:
    sites = [site for _, _, listed, _ in ROWS for site in listed.split()]
    assert sorted(set(sites)) == sorted(sites)


@pytest.mark.parametrize(
    ("site", "agency", "wanted"),
    [
        pytest.param("armytimes.com", None, Owner("Sightline Media Group", "US"), id="a table knows it"),
        pytest.param("armytimes.com", "AP", Owner("AP", "US"), id="an agency wrote it"),
        pytest.param("yna.co.kr", None, Owner("Yonhap", "KR"), id="an agency's own site"),
        pytest.param("hurriyet.com.tr", "DHA", Owner("Demirören", "TR"), id="an agency that has an owner"),
        pytest.param("armytimes.com", "Nobody", Owner("Sightline Media Group", "US"), id="no agency that we know"),
        pytest.param("af.mil", None, Owner("Government of US", "US"), id="an American office"),
        pytest.param("mnd.gov.tw", None, Owner("Government of TW", "TW"), id="an office"),
        pytest.param("www.gov.uk", None, Owner("Government of GB", "GB"), id="an office in Britain"),
        pytest.param("bundeswehr.de", None, Owner("Government of DE", "DE"), id="an office by the table"),
        pytest.param("daily.example", None, Owner("daily.example", None), id="a site that nobody knows"),
        pytest.param("village-echo.se", None, Owner("village-echo.se", "SE"), id="a country by the domain"),
        pytest.param("drones.io", None, Owner("drones.io", None), id="a domain that says no country"),
    ],
)
def test_whom_a_report_belongs_to(site: str, agency: str | None, wanted: Owner) -> None:
    assert owner(site, agency) == wanted


def test_copies_of_an_agency_are_one_family_wherever_they_are_printed() -> None:
    told = [
        Told("defensenews.com", NOON + timedelta(hours=2)),
        Told("armytimes.com", NOON + timedelta(hours=3)),
        Told("lemonde.fr", NOON + timedelta(hours=1), "AFP"),
        Told("france24.com", NOON, "AFP"),
        Told("daily.example", NOON + timedelta(hours=4)),
    ]
    found = families(told)
    assert found == families(told[::-1])
    assert found.families == ("AFP", "Sightline Media Group", "daily.example")
    assert str(found) == (
        "reported by 5 outlets of 3 families in 2 countries, first by france24.com at 2026-03-04T12:00:00Z"
    )


def test_what_nobody_knows_is_said_in_the_singular_and_without_countries() -> None:
    said = str(families([Told("daily.example", NOON)]))
    assert said == "reported by 1 outlet of 1 family, first by daily.example at 2026-03-04T12:00:00Z"
