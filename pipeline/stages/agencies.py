"""Article -> Agency: who wrote the copy, by its site, its dateline, its by-line or the credit in its closing line.

What an agency is only quoted for ("Reuters reported"), or contributed to another's report, is no copy of it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline import urls
from pipeline.model import Article

OPENING_LINES, CLOSING_LINES = 3, 4  # that are looked at
LONGEST_DATELINE = 120  # characters
LONGEST_CREDIT = 160  # characters of a line that is nothing but one


@dataclass(frozen=True, slots=True)
class Agency:
    """A news agency, or a distributor of releases."""

    name: str
    country: str  # ISO 3166-1 alpha-2


def _table() -> Iterable[tuple[Agency, list[str], list[str], str]]:
    """Each agency with its sites, its names, and a pattern of lines that only it writes."""
    for line in Path(__file__).with_name("agencies.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        name, country, sites, names, openings = line.split("\t")
        yield Agency(name, country), sites.split(), names.split("|"), openings


_TABLE = tuple(_table())
AGENCIES = {agency.name: agency for agency, *_ in _TABLE}
_BY_SITE = {site: agency for agency, sites, _, _ in _TABLE for site in sites}
_BY_NAME = {name: agency for agency, _, names, _ in _TABLE for name in names}
_OWN = tuple((re.compile(pattern), agency) for agency, *_, pattern in _TABLE if pattern)

_NAME = "(?P<name>" + "|".join(re.escape(name) for name in sorted(_BY_NAME, key=len, reverse=True)) + ")"
_WITH = r"(?:\s?[-/,&–]\s?[\w. ]{2,30})?"  # (Reuters/AFP), (AP Photo)
_FROM = (
    r"by|sources?|via|from|copyright(?:\s\d{4})?|\(c\)(?:\s\d{4})?|©(?:\s?\d{4})?"
    r"|with (?:agency )?(?:inputs?|files|reporting|material) (?:from|by)|with"
    r"|quelle|von|mit (?:material|informationen) (?:der|von)|mit"
    r"|fuente|por|con (?:información|informaciones) de|con|source|par|avec|fonte|com|fonti?"
    r"|bron|źródło|za|джерело|источник|来源|來源|出典|출처|المصدر"
)
_DATELINES = tuple(
    re.compile(pattern)
    for pattern in (
        # SEOUL, South Korea (AP) — ; MOSCOW, July 11. /TASS/. ; New Delhi [India], July 11 (ANI):
        rf"(?P<before>[^\n()（）/]{{0,70}}?)\s*[(（/]{_NAME}{_WITH}[)）/]\s*(?:[-–—:.=]|$)",
        # (서울=연합뉴스) ; 【ワシントン共同】 ; [ワシントン 11日 ロイター]
        rf"[(\[【［（](?P<before>[^\n)\]】］）]{{0,30}}?[=\s\W]?){_NAME}[)\]】］）]",
        # МОСКВА, 11 июл — РИА Новости.
        rf"(?P<before>[^\W\d_a-zа-я]{{3,}}[^\n()]{{0,40}}?[.,–—-])\s*{_NAME}\s?[.:–—-]",
    )
)
_CREDITS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\W*(?:(?i:{_FROM})\W*)?(?:[Tt]he\s)?{_NAME}(?:/\w+)?(?:\W+(?i:all rights reserved))?\W*",  # Source: Xinhua
        rf"(?:By|BY|Por|Par|Von)\s[^\n]{{2,60}}?(?:,|\||/|—|–|-|\sof|\sfrom)\s*(?:[Tt]he\s)?{_NAME}",
    )
)
_SIGNED = re.compile(
    rf"[.!?…\"”»’)。]\s*(?:[(\[（【]\s?{_NAME}\s?[)\]）】]|[-–—/]+\s?{_NAME.replace('name', 'signed')}/?)\W*$"
)
_EDITED = re.compile(r"\W*(?:additional )?reporting by .*\bediting by ", re.IGNORECASE)  # as Reuters closes


def agency(article: Article) -> Agency | None:
    """The agency that wrote an article's text; None: it is the outlet's own, or nobody is named."""
    if own := of_site(urls.site(article.canonical_url)):
        return own
    lines = [line.strip() for line in article.text.splitlines() if line.strip()]
    opening, closing = lines[:OPENING_LINES], lines[-CLOSING_LINES:]
    ends = [*opening, *reversed(closing)]
    return _of_dateline(opening) or _of_credit(ends) or _of_signature(closing) or _of_own_words(ends)


def of_site(site: str) -> Agency | None:
    """The agency whose site a registered domain is."""
    return _BY_SITE.get(site)


def _of_dateline(lines: Iterable[str]) -> Agency | None:
    for line in lines:
        for pattern in _DATELINES:
            found = pattern.match(line[:LONGEST_DATELINE])
            if found and not _is_spelt_out(found["before"], found["name"]):
                return _BY_NAME[found["name"]]
    return None


def _is_spelt_out(before: str, name: str) -> bool:
    """Whether the words before an abbreviation are what it stands for: Advanced Placement (AP)."""
    initials = "".join(word[0] for word in re.findall(r"[^\W\d_]+", before))
    return len(name) <= len(initials) and initials.upper().endswith(name.upper())


def _of_credit(lines: Iterable[str]) -> Agency | None:
    for line in lines:
        if len(line) > LONGEST_CREDIT:
            continue
        for pattern in _CREDITS:
            if found := pattern.fullmatch(line):
                return _BY_NAME[found["name"]]
    return None


def _of_signature(closing: list[str]) -> Agency | None:
    for line in reversed(closing):
        if _EDITED.match(line):
            return AGENCIES["Reuters"]
        if found := _SIGNED.search(line[-LONGEST_CREDIT:]):
            return _BY_NAME[found["name"] or found["signed"]]
    return None


def _of_own_words(lines: Iterable[str]) -> Agency | None:
    return next((own for line in lines for pattern, own in _OWN if pattern.match(line)), None)
