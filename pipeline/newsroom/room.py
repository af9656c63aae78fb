"""The newsroom: texts placed on sites, dated before a reference moment, with the truth about every URL."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from random import Random

from pipeline.newsroom.faults import Fault, FaultKind
from pipeline.newsroom.filler import FILLER, filler
from pipeline.newsroom.sites import SITES, FeedPlan, Site
from pipeline.newsroom.texts import Text, texts

SPAN = timedelta(days=30)  # how far back the articles go
HEALS_AFTER = 2  # requests that the ailing page answers with 500
PRIVATE = "/premium/"  # what robots.txt forbids
ORIGINS = tuple(f"http://127.77.0.{number}:8077" for number in range(1, len(SITES) + 1))

# Links that lead nowhere good: site, what becomes of them, and how the feed announces them.
DEAD_ENDS = (
    ("meridian", "http-404", "Minister to address parliament on fishing quotas", "The session is expected at noon."),
    ("corvid", "http-410", "Correction: ferry timetable for the western isles", "This item has been withdrawn."),
    (
        "westmark",
        "pdf-without-text",
        "Full report: deterrence in the northern seas (PDF)",
        "The 48-page report to download.",
    ),
)


@dataclass(frozen=True, slots=True)
class RoomFeed:
    """A feed as its site offers it."""

    url: str
    title: str
    country: str
    lang: str
    kind: str
    site: str
    format: str


@dataclass(frozen=True, slots=True)
class RoomArticle:
    """The truth about one article URL."""

    key: str
    url: str  # final and canonical
    link: str  # as the site's own lists give it; the feeds may add tracking parameters
    site: str
    title: str
    text: str  # paragraphs as visible in the page, joined with one newline; for a dead end what the feed announces
    published_at: datetime
    updated_at: datetime | None
    authors: tuple[str, ...]
    section: str
    lang: str
    label: bool | None  # defense-related? None for dead ends
    topics: tuple[str, ...]
    countries: tuple[str, ...]
    feeds: tuple[str, ...] = ()  # URLs of the feeds that hold it
    in_sitemap: bool = True
    outcome: str = "stored"  # stored | dropped
    reason: str | None = None  # why it is dropped: http-404, http-410, pdf-without-text, robots
    is_filler: bool = False

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The text, cut at its newlines."""
        return tuple(self.text.split("\n")) if self.text else ()

    @property
    def summary(self) -> str:
        """What a feed says of it: the first paragraph, cut at a word."""
        first = self.text.split("\n", 1)[0]
        return first if len(first) <= 280 else first[:280].rsplit(" ", 1)[0] + " …"


@dataclass(frozen=True, slots=True)
class Late:
    """A text that a site publishes after the room was made."""

    text: Text
    site: str
    published_at: datetime


class Newsroom:
    """A simulated internet as values: the same arguments give the same bytes everywhere."""

    def __init__(self, *, seed: int, at: datetime, extra: int = 0, holds: int | None = None) -> None:
        """Lay out the room as of the UTC moment `at`, with `extra` filler articles and `holds` entries a feed.

        Raises:
            ValueError: `at` has no time zone.
        """
        if at.tzinfo is None:
            raise ValueError("the reference moment needs a time zone")
        self.seed = seed
        self.at = at.astimezone(UTC).replace(second=0, microsecond=0)
        self.extra = extra
        self.holds = holds
        self.origins: tuple[str, ...] = ORIGINS
        self.late: tuple[Late, ...] = ()

    def at_origins(self, origins: Sequence[str]) -> "Newsroom":
        """The same room with its sites at other addresses (`http://host:port`, in the order of SITES)."""
        return self._copy(tuple(origins), self.late)

    def with_late(self, late: Late) -> "Newsroom":
        """The same room after one more article has appeared."""
        return self._copy(self.origins, (*self.late, late))

    def _copy(self, origins: tuple[str, ...], late: tuple[Late, ...]) -> "Newsroom":
        room = Newsroom(seed=self.seed, at=self.at, extra=self.extra, holds=self.holds)
        room.origins, room.late = origins, late
        return room

    def origin(self, site: Site) -> str:
        """The address of a site: scheme, host and port."""
        return self.origins[SITES.index(site)]

    @cached_property
    def feeds(self) -> tuple[RoomFeed, ...]:
        """All feeds, in the order of the sites."""
        return tuple(
            RoomFeed(
                self.origin(site) + plan.path, plan.title, site.country, site.lang, site.kind, site.key, plan.format
            )
            for site in SITES
            for plan in site.feeds
        )

    @cached_property
    def articles(self) -> tuple[RoomArticle, ...]:
        """Every article and dead end, newest first within its site."""
        return tuple(article for site in SITES for article in self._site_articles(site))

    @cached_property
    def truth(self) -> Mapping[str, RoomArticle]:
        """Articles by their final URL."""
        return {article.url: article for article in self.articles}

    @cached_property
    def links(self) -> Mapping[str, RoomArticle]:
        """Articles by their final URL and by the link that leads there."""
        return {address: article for article in self.articles for address in (article.url, article.link)}

    @cached_property
    def faults(self) -> Mapping[str, Fault]:
        """What is wrong from the start, by URL: one page answers 500 until it heals."""
        ailing = [article for article in self.articles if article.site == "eleven" and article.feeds]
        return {article.url: Fault(FaultKind.STATUS, status=500, count=HEALS_AFTER) for article in ailing[:1]}

    def listed(self, site: Site) -> tuple[RoomArticle, ...]:
        """All articles of a site, newest first."""
        return self._by_site[site.key]

    def held(self, site: Site, plan: FeedPlan) -> tuple[RoomArticle, ...]:
        """The entries of a feed, newest first."""
        address = self.origin(site) + plan.path
        return tuple(article for article in self.listed(site) if address in article.feeds)

    @cached_property
    def _by_site(self) -> Mapping[str, tuple[RoomArticle, ...]]:
        return {site.key: tuple(a for a in self.articles if a.site == site.key) for site in SITES}

    @cached_property
    def _placed(self) -> Mapping[str, list[Text]]:
        """Texts of each site in the order of their age: written ones shared out by desk, filler dealt out evenly."""
        random = Random(f"place {self.seed}")  # noqa: S311 - reproducible, nothing secret
        placed: dict[str, list[Text]] = {site.key: [] for site in SITES}
        for text in random.sample(texts(), len(texts())):
            sites = [site for site in SITES if site.desk == text.desk]
            least = min(sites, key=lambda site: len(placed[site.key]))
            placed[least.key].append(text)
        english = [site.key for site in SITES if site.english]
        for number, text in enumerate(filler(self.seed, self.extra)):
            placed[english[number % len(english)]].append(text)
        for rows in placed.values():
            random.shuffle(rows)
        return placed

    def _site_articles(self, site: Site) -> list[RoomArticle]:
        random = Random(f"dates {self.seed} {site.key}")  # noqa: S311 - reproducible, nothing secret
        rows = self._placed[site.key]
        articles = []
        for number, text in enumerate(rows):
            share = (number + random.uniform(0.1, 0.9)) / len(rows)
            minutes = int(SPAN.total_seconds() / 60 * share**1.5)  # denser towards the present
            article = self._article(site, text, self.at - timedelta(minutes=minutes))
            if random.random() < 0.25:  # a later revision, never after the reference moment
                later = timedelta(minutes=min(random.randint(20, 300), minutes))
                article = replace(article, updated_at=article.published_at + later)
            articles.append(article)
        articles = self._with_forbidden(site, articles)
        late = [late for late in self.late if late.site == site.key]
        articles.extend(self._article(site, one.text, one.published_at) for one in late)
        articles.extend(self._dead_ends(site))
        articles.sort(key=lambda article: (article.published_at, article.key), reverse=True)
        return self._in_feeds(site, articles)

    def _article(self, site: Site, text: Text, published_at: datetime) -> RoomArticle:
        origin = self.origin(site)
        names = {
            "slug": slug(text.title) + text.key.removeprefix(FILLER) if text.desk == FILLER else slug(text.title),
            "number": number_of(text.key),
            "date": f"{published_at:%Y/%m/%d}",
            "section": section_slug(text.section),
        }
        url = origin + site.path.format(**names)
        return RoomArticle(
            key=text.key,
            url=url,
            link=origin + site.via.format(**names) if site.via else url,
            site=site.key,
            title=text.title,
            text=text.body,
            published_at=published_at,
            updated_at=None,
            authors=text.authors,
            section=text.section,
            lang=text.lang,
            label=text.defense,
            topics=text.topics,
            countries=text.countries,
            is_filler=text.desk == FILLER,
        )

    def _dead_ends(self, site: Site) -> list[RoomArticle]:
        found = []
        for key, reason, title, summary in DEAD_ENDS:
            if key == site.key:
                section = "Reports" if reason == "pdf-without-text" else "World"
                text = Text(reason, title, (summary,), site.desk, section, defense=False)
                article = self._article(site, text, self.at - timedelta(hours=7))
                url = article.url + (".pdf" if reason == "pdf-without-text" else "")
                article = replace(article, url=url, link=url, label=None, in_sitemap=False)
                found.append(replace(article, outcome="dropped", reason=reason))
        return found

    def _with_forbidden(self, site: Site, articles: list[RoomArticle]) -> list[RoomArticle]:
        """One article of the site lies where robots.txt lets nobody go."""
        if site.key != "keel" or len(articles) < 2:
            return articles
        origin = self.origin(site)
        url = origin + PRIVATE + articles[1].url.removeprefix(origin + "/")
        moved = replace(articles[1], url=url, link=url, in_sitemap=False, outcome="dropped", reason="robots")
        return [articles[0], moved, *articles[2:]]

    def _in_feeds(self, site: Site, articles: list[RoomArticle]) -> list[RoomArticle]:
        holders: dict[str, list[str]] = {article.key: [] for article in articles}
        for plan in site.feeds:
            fitting = [a for a in articles if plan.section in {None, a.section}]
            for article in fitting[: self.holds or plan.holds]:
                holders[article.key].append(self.origin(site) + plan.path)
        return [replace(article, feeds=tuple(holders[article.key])) for article in articles]


def slug(words: str) -> str:
    """A title as it stands in a URL: ASCII letters and digits, at most eight words; "" when none is left."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain.replace("'", ""))[:8])


def section_slug(section: str) -> str:
    """A section as it stands in a URL."""
    return slug(section) or "news"


def number_of(key: str) -> str:
    """A stable number for a key, as content systems put into URLs."""
    return str(1_000_000 + int(sha256(key.encode()).hexdigest(), 16) % 9_000_000_000_000)
