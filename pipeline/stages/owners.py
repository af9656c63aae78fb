"""Reports -> Corroboration: how many publishers that do not belong together tell of an event, and who was first.

Outlets of one owner are one family, and so are the offices of one government. What a news agency wrote counts as the
agency's, wherever it was printed. A site that no table knows is a family of its own.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.stages.agencies import AGENCIES, of_site

_OFFICE = re.compile(r"(?:^|\.)(?:gov|mil|go|gob|gouv|govt)\.(?P<country>[a-z]{2})$")
_OFFICE_US = re.compile(r"\.(?:gov|mil)$")
_COUNTRY = re.compile(r"\.([a-z]{2})$")
_ANYWHERE = frozenset(
    ["ai", "cc", "co", "eu", "fm", "gg", "im", "io", "ly", "me", "mg", "sh", "su", "to", "tv", "ws"]
)  # top-level domains that say no country


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom an outlet or an agency belongs to."""

    family: str
    country: str | None  # of the outlet, ISO 3166-1 alpha-2; None: nothing says


@dataclass(frozen=True, slots=True)
class Told:
    """A report, by where and when it was printed."""

    site: str  # registered domain
    published_at: datetime
    agency: str | None = None  # that wrote it, as `agencies` names it


@dataclass(frozen=True, slots=True)
class Corroboration:
    """Who tells of an event; each sorted, but `first`."""

    outlets: tuple[str, ...]  # sites
    families: tuple[str, ...]
    countries: tuple[str, ...]  # of who wrote
    first: Told

    def __str__(self) -> str:
        parts = f"{_number(self.outlets, 'outlet')} of {_number(self.families, 'family')}"
        at = self.first.published_at.astimezone(UTC)
        places = f" in {_number(self.countries, 'country')}" if self.countries else ""
        return f"reported by {parts}{places}, first by {self.first.site} at {at:%Y-%m-%dT%H:%M:%SZ}"


def families(reports: Iterable[Told]) -> Corroboration:
    """Who tells of an event; the order of the reports does not matter.

    Raises:
        ValueError: there is no report.
    """
    told = [*reports]
    owners = {owner(report.site, report.agency) for report in told}
    return Corroboration(
        outlets=tuple(sorted({report.site for report in told})),
        families=tuple(sorted({one.family for one in owners})),
        countries=tuple(sorted({one.country for one in owners if one.country})),
        first=min(told, key=lambda report: (report.published_at, report.site)),
    )


def owner(site: str, agency: str | None = None) -> Owner:
    """Whom a report belongs to: the agency that wrote it, else the owner of the site."""
    wrote = AGENCIES.get(agency) if agency else of_site(site)
    if wrote is not None:
        return _OF_AGENCY.get(wrote.name, Owner(wrote.name, wrote.country))
    return _OF_SITE.get(site) or _by_domain(site)


def _by_domain(site: str) -> Owner:
    """The owner of a site that is in no table, as its domain tells it."""
    if _OFFICE_US.search(site):
        return Owner("Government of US", "US")
    found = _OFFICE.search(site) or _COUNTRY.search(site)
    if found is None or found[1] in _ANYWHERE:
        return Owner(site, None)
    country = "GB" if found[1] == "uk" else found[1].upper()
    return Owner(f"Government of {country}" if found.re is _OFFICE else site, country)


def _number(found: tuple[str, ...], one: str) -> str:
    """How many there are: "1 family", "2 families"."""
    many = f"{one[:-1]}ies" if one.endswith("y") else f"{one}s"
    return f"{len(found)} {one if len(found) == 1 else many}"


def _table() -> Iterable[tuple[Owner, list[str], list[str]]]:
    """Each owner with its sites and its agencies."""
    for line in Path(__file__).with_name("owners.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        family, country, sites, agencies = line.split("\t")
        yield Owner(family, country), sites.split(), [name for name in agencies.split("|") if name]


_TABLE = tuple(_table())
_OF_SITE = {site: owner for owner, sites, _ in _TABLE for site in sites}
_OF_AGENCY = {name: owner for owner, _, names in _TABLE for name in names}
