"""What a page claims to be titled, and its headings -> its title, without the name of its site."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from pipeline.stages.extract.body import block_text, line
from pipeline.stages.extract.moments import written
from pipeline.urls import site

LONGEST_TITLE = 500  # characters; a longer one is not a title
LEAST_OF_CLAIM = 5  # a heading has at least one of so many words of the claim
_SEPARATOR = re.compile(r"\s+(?:[|\-–—―·•»«~⁄/>]|::|\|\|)\s+|\s*[|│┃]\s*|:\s+|\s+[|\-–—](?=\w)|(?<=\w)[–—](?=\s)")
_BAR = re.compile(r"\s*[|│┃]\s*")
_LABEL = re.compile(r"\w{2,12}:\s*")
_WORD = re.compile(r"\w+")
_NOT_ALNUM = re.compile(r"\W+")
_SHORTEST_LABEL = 4  # letters of a part of a host that tells something
_SHORTEST_NAME = 7  # letters of a name that is not in a host by chance


@dataclass(frozen=True, slots=True)
class Outlet:
    """By what the site of a page is known."""

    names: tuple[str, ...]
    domain: str = ""
    host: str = ""

    @staticmethod
    def of(url: str, names: Iterable[str | None]) -> "Outlet":
        """The outlet behind a URL, which calls itself so."""
        try:
            domain = site(url)
        except ValueError:  # a file that never had a URL
            return Outlet(tuple(filter(None, names)))
        host = (urlsplit(url).hostname or domain).removeprefix("www.")
        return Outlet((*filter(None, names), domain, domain.partition(".")[0]), domain, host)

    def is_named(self, text: str) -> bool:
        """Whether a text is the outlet's name in some spelling, or its initials."""
        wanted = key(text)
        return not wanted or any(wanted == key(name) or text == _initials(name) for name in self.names)

    def is_in_domain(self, text: str) -> bool:
        """Whether a text is mostly what the domain is called, or a good part of that."""
        wanted, domain = key(text), key(self.domain.partition(".")[0])
        is_longer = domain in wanted and len(wanted) <= 3 * len(domain)
        return len(domain) >= _SHORTEST_LABEL and (is_longer or (wanted in domain and len(wanted) > _SHORTEST_NAME))

    def is_like_host(self, text: str) -> bool:
        """Whether most letters of a text are in words that the host has too: for what stands last in a title."""
        host = key(self.host.rpartition(".")[0])
        known = [word for word in map(key, text.split()) if len(word) > 2 and word in host]
        return len(key(text)) >= _SHORTEST_LABEL and 2 * sum(map(len, known)) > len(key(text))


def headline(tree: HtmlElement, claimed: Sequence[str | None], outlet: Outlet) -> tuple[str | None, HtmlElement | None]:
    """The title of a page and the element that shows it to readers.

    It is the heading that is most like what the page claims to be titled, else a lesser one that reads as the claim or
    as the front of it, else the claim.
    """
    claims = [without_site(text, outlet) for text in _lines((*claimed, tree.findtext(".//title")))]
    headings = [(one, element) for element in tree.iter("h1") if (one := _heading(element, outlet))]
    best, alike = None, 0.0
    for heading in headings:
        now = max((_likeness(heading[0], claim) for claim in claims), default=1.0)
        if now > alike:
            best, alike = heading, now
    if best is not None and 2 * alike >= 1:
        return _clean(best[0], claims), best[1]
    if not claims:
        return headings[0] if headings else (None, None)
    whole = _shown(tree, claims)
    if whole is None and (front := _shown(tree, [one for claim in claims for one in _fronts(claim)])) is not None:
        return block_text(front), front
    return _without_sections(claims[0]), whole


def without_site(title: str, outlet: Outlet) -> str:
    """A title without the name of its site before or after it; a title that is nothing else stays."""
    for gap in reversed(list(_SEPARATOR.finditer(title))):
        rest = title[gap.end() :]
        is_site = outlet.is_named(rest) or outlet.is_in_domain(rest) or (gap[0] != ": " and outlet.is_like_host(rest))
        if gap.start() and is_site:
            title = title[: gap.start()].rstrip()
    first = _SEPARATOR.search(title)
    if first and (outlet.is_named(title[: first.start()]) or outlet.is_in_domain(title[: first.start()])):
        return title[first.end() :]
    return title


def key(name: str) -> str:
    """What two spellings of a name share."""
    return _NOT_ALNUM.sub("", name.casefold())


def _lines(candidates: Iterable[str | None]) -> Iterator[str]:
    return (one for one in map(line, candidates) if 0 < len(one) <= LONGEST_TITLE)


def _heading(element: HtmlElement, outlet: Outlet) -> str | None:
    text = next(_lines([block_text(element)]), None)
    return text and (text if outlet.is_named(text) else without_site(text, outlet))


def _likeness(heading: str, claim: str) -> float:
    """Which share of the words of a heading a claim has, a little more when it has few others; 0 when it has many."""
    ours, theirs = frozenset(_WORD.findall(heading.casefold())), frozenset(_WORD.findall(claim.casefold()))
    both = len(ours & theirs)
    return both / len(ours) + both / len(theirs) / 10 if ours and LEAST_OF_CLAIM * both >= len(theirs) > 0 else 0.0


def _clean(heading: str, claims: Sequence[str]) -> str:
    """A heading, or the claim that it contains beside a date or behind a label."""
    for claim in claims:
        before, _, after = heading.partition(claim)
        if claim != heading and claim in heading and (written(before + after) or _LABEL.fullmatch(before)):
            return claim
    return heading


def _without_sections(claim: str) -> str:
    """A claim that no heading confirms, without the sections and sites that follow it behind bars."""
    first, *others = _BAR.split(claim)
    return first if all(len(one) < len(first) for one in others) else claim


def _shown(tree: HtmlElement, claims: Sequence[str]) -> HtmlElement | None:
    """The lesser heading, or what is marked as one, that reads as the page claims to be titled."""
    wanted = {key(claim) for claim in claims}
    marked = tree.xpath("//h2 | //h3 | //*[contains(@class,'headline') or contains(@class,'title')]")
    return next((one for one in marked if key(one.text_content()[:LONGEST_TITLE]) in wanted), None)


def _fronts(claim: str) -> Iterator[str]:
    """A claim without what follows a separator in it and is shorter: the name of a site that we do not know."""
    for gap in _SEPARATOR.finditer(claim):
        if gap.start() > len(claim) - gap.end():
            yield claim[: gap.start()]


def _initials(name: str) -> str:
    words = name.split()
    return "".join(word[0] for word in words).upper() if len(words) > 2 else ""
