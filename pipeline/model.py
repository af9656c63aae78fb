"""The values that flow through defnews: Feed, FeedState, Entry, Request, Response, Page, Article, Verdict.

All are frozen. Moments are UTC-aware datetimes, `None` means only "the source did not say".
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class FeedKind(StrEnum):
    """What sort of publisher stands behind a feed."""

    TRADE = "trade"
    OFFICIAL = "official"
    WIRE = "wire"
    GENERAL = "general"
    THINKTANK = "thinktank"


class FetchMode(StrEnum):
    """Where the article of an entry is found: on its page, or in the feed itself."""

    PAGE = "page"
    FEED = "feed"


class RequestKind(StrEnum):
    """What a request is for; robots.txt applies to pages and archives, size limits to each.

    A data set is a file that its publisher made for programs to download, like those of Common Crawl's news crawl, and
    that the user asked for by name; robots.txt speaks to crawlers, which follow links. Pace and limits hold for it too.
    """

    FEED = "feed"
    PAGE = "page"
    ARCHIVE = "archive"
    DATASET = "dataset"
    HUB = "hub"  # a WebSub hub is asked to push, or to stop


class DateOrigin(StrEnum):
    """Who said when an article was published, best first."""

    PAGE = "page"
    FEED = "feed"
    ARCHIVE = "archive"
    FIRST_SEEN = "first-seen"


class Label(StrEnum):
    """The two stored labels."""

    DEFENSE = "defense"
    OTHER = "other"


class Health(StrEnum):
    """How a feed does."""

    NEW = "new"  # it never answered yet
    ACTIVE = "active"
    QUIET = "quiet"  # it answers, but brought nothing new for several times its usual gap
    FAILING = "failing"
    RESTING = "resting"  # its host asked to be left alone
    MOVED = "moved"  # its URL was changed, and is polled from now on
    GONE = "gone"  # 410: no longer polled


class PushState(StrEnum):
    """Where a subscription at a hub stands."""

    WAITING = "waiting"  # to be asked for, or asked for and not verified by the hub
    ACTIVE = "active"  # verified: the hub pushes until its lease ends
    DENIED = "denied"  # the hub said no; it is asked again much later
    LEAVING = "leaving"  # no longer wanted: the hub is told so


class Outcome(StrEnum):
    """Where an entry ended."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Feed:
    """A URL that we poll."""

    id: int
    url: str
    title: str
    kind: FeedKind = FeedKind.GENERAL
    country: str | None = None  # ISO 3166-1 alpha-2
    lang: str | None = None  # BCP 47
    fetch: FetchMode = FetchMode.PAGE
    interval: timedelta | None = None  # asked for by the user; overrides the settings
    headers: tuple[tuple[str, str], ...] = ()
    include: tuple[str, ...] = ()  # regular expressions; when given, title or URL must match one
    exclude: tuple[str, ...] = ()  # regular expressions; neither title nor URL may match one
    tags: tuple[str, ...] = ()  # the user's folders, outermost first


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a feed publishes: counts of entries, the older the lighter, in `days` of watching until `polled_at`."""

    polled_at: datetime
    window: int  # entries that its document holds
    days: float = 0.0
    hours: tuple[float, ...] = (0.0,) * 24  # of the day, UTC
    weekdays: tuple[float, ...] = (0.0,) * 7  # from Monday


@dataclass(frozen=True, slots=True)
class FeedState:
    """What we remember of a feed between two polls.

    The validators are kept exactly as received (RFC 9110 section 8.8).
    """

    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None  # SHA-256 hex of the last body that was parsed
    next_poll_at: datetime | None = None
    next_poll_reason: str | None = None  # why then, in words: "interval 30 min", "max-age 3600", "dns, 3 in a row" ...
    last_poll_at: datetime | None = None
    last_success_at: datetime | None = None
    failures: int = 0  # in a row
    reason: str | None = None  # of the last failure; None after a success
    gone: bool = False  # answered 410: no longer polled
    ttl: timedelta | None = None  # that the last body asked for, as are the hours and days to skip
    fresh_for: timedelta | None = None  # that HTTP last named; a 304 that names nothing leaves it
    skip_hours: frozenset[int] = frozenset()  # 0 to 23, UTC
    skip_days: frozenset[int] = frozenset()  # Monday is 0, UTC
    whole_at: datetime | None = None  # when a body last came; since then 304 was the answer
    health: Health = Health.NEW
    seen: frozenset[str] = frozenset()  # marks of the entries that the last body held
    newest_at: datetime | None = None  # of its newest entry; of an undated one, when it came
    usual_gap: timedelta | None = None  # between two entries
    moving_to: str | None = None  # where permanent redirects lead
    moving_days: int = 0  # on how many days they did
    rhythm: Rhythm | None = None


@dataclass(frozen=True, slots=True)
class Hub:
    """Who pushes a feed, and what it calls the feed (W3C WebSub)."""

    url: str
    topic: str
    others: tuple[str, ...] = ()  # hubs that the feed names besides: the next ones, should this one not verify

    def is_like(self, other: "Hub | None") -> bool:
        """Whether a feed that names the one names the other, whichever of its hubs has its turn."""
        return other is not None and self.topic == other.topic and self.urls == other.urls

    @property
    def urls(self) -> frozenset[str]:
        """All hubs of the feed."""
        return frozenset((self.url, *self.others))


@dataclass(frozen=True, slots=True)
class Subscription:
    """That a hub is asked to push a feed to us."""

    id: int
    feed_id: int
    hub: Hub
    address: str = field(repr=False)  # where the hub finds us; with the token nobody guesses it
    secret: str = field(repr=False)  # signs what the hub sends
    state: PushState = PushState.WAITING
    due_at: datetime | None = None  # when the hub is asked next
    attempts: int = 0  # since the hub last verified one
    lease_until: datetime | None = None
    pushed_at: datetime | None = None  # the last delivery that was good
    missed_at: datetime | None = None  # when a poll last found what was not pushed
    usual_poll_at: datetime | None = None  # when the feed's next poll were due without the hub
    reason: str | None = None  # of the last thing that went wrong

    def is_trusted(self, now: datetime) -> bool:
        """Whether the hub pushes: it promised to, did so, and no poll has found since what it kept back."""
        is_leased = self.state is PushState.ACTIVE and self.lease_until is not None and now < self.lease_until
        return is_leased and self.pushed_at is not None and not (self.missed_at and self.missed_at >= self.pushed_at)


@dataclass(frozen=True, slots=True)
class FeedTrust:
    """How far the texts that a feed carries were found to be those of its pages."""

    agreed: int = 0  # pages in a row
    is_doubted: bool = False  # the last page that was compared said something else
    unchecked: int = 0  # entries since then


@dataclass(frozen=True, slots=True)
class Gap:
    """A time of which entries of a feed were missed: none of one poll was left at the next."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that an entry points to."""

    url: str
    type: str | None = None
    length: int | None = None  # bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One element of a feed, or one URL that an archive listed."""

    id: str  # what the feed calls it, else its canonical link, else by what it says
    url: str | None  # absolute http(s) link as given, relative ones joined
    title: str | None = None  # plain text
    published_at: datetime | None = None
    updated_at: datetime | None = None
    summary: str | None = None  # HTML or text, as given
    content: str | None = None  # HTML or text, as given
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    lang: str | None = None
    archive: str | None = None  # name of the archive that listed it; None: a feed did
    copy: str | None = None  # URL of a web archive's copy of the page
    place: str | None = None  # the file, and where in it, that the archive found it at
    held: "Page | Article | None" = None  # what the archive holds of it: nothing is fetched

    @property
    def dated_at(self) -> datetime | None:
        """When it was published, else when it was updated."""
        return self.published_at or self.updated_at


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed as its publisher wrote it."""

    title: str | None
    url: str | None  # the site's own page
    format: str  # "rss20", "rss091", "rdf", "atom10", "json11" ...
    entries: tuple[Entry, ...]
    lang: str | None = None
    ttl: timedelta | None = None  # <ttl>, or sy:updatePeriod over sy:updateFrequency
    skip_hours: frozenset[int] = frozenset()  # 0 to 23, UTC, when nobody should ask
    skip_days: frozenset[int] = frozenset()  # Monday is 0, UTC
    links: tuple[tuple[str, str], ...] = ()  # (relation, URL): self, hub (WebSub), next, prev-archive ... (RFC 5005)
    is_complete: bool = False  # holds all entries there are, RFC 5005 section 2
    is_archive: bool = False  # never changes again, RFC 5005 section 4


@dataclass(frozen=True, slots=True)
class Request:
    """A GET that a stage asks the web for, or a POST of a form."""

    url: str
    kind: RequestKind
    headers: tuple[tuple[str, str], ...] = ()
    form: bytes | None = field(default=None, repr=False)  # it may hold a secret; None: a GET


@dataclass(frozen=True, slots=True)
class Response:
    """What came back after all redirects; any status."""

    url: str  # final
    status: int
    headers: tuple[tuple[str, str], ...]  # names in lower case, values verbatim
    body: bytes  # decoded by Content-Encoding, not by charset
    received_at: datetime
    hops: tuple[tuple[str, int], ...] = ()  # (url, status) of each redirect, in order

    def header(self, name: str) -> str | None:
        """The first value of a header, verbatim."""
        return next((value for key, value in self.headers if key == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Robots:
    """A host's robots.txt as it was fetched; an empty text allows all."""

    text: str
    fetched_at: datetime
    crawl_delay: timedelta | None = None  # that it asks of us


@dataclass(frozen=True, slots=True)
class Turn:
    """What the pace says to whoever wants to ask a host."""

    ask_at: datetime | None  # when to say it again: the host rests, its delay is not over, or another asks it now
    crawl_delay: timedelta | None = None  # that its robots.txt asks of us, as far as we know

    @property
    def is_ours(self) -> bool:
        """Whether the host may be asked now."""
        return self.ask_at is None


@dataclass(frozen=True, slots=True)
class Rest:
    """A time in which nobody asks a host, after a 429 or 503."""

    until: datetime
    length: timedelta


@dataclass(frozen=True, slots=True)
class Page:
    """The HTML, PDF or plain text behind an entry."""

    url: str  # final, after redirects
    body: bytes
    content_type: str | None
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class Article:
    """The text of a page, or of an entry that needed none."""

    url: str  # where it was read
    canonical_url: str
    title: str
    text: str  # paragraphs, each ended by one newline but the last
    published_at: datetime
    published_from: DateOrigin
    extractor: str  # name@version; of several pages, which: name@version, pages 1-3
    authors: tuple[str, ...] = ()
    updated_at: datetime | None = None
    lang: str | None = None  # BCP 47; "und" where nobody can tell, "mul" for several
    site_name: str | None = None
    section: str | None = None  # of the publisher
    tags: tuple[str, ...] = ()  # of the publisher
    is_teaser: bool = False  # the text is only the beginning: the rest is for those who pay
    site_memory: str | None = None  # site@version of what told its furniture from its text; None: nothing was left out


@dataclass(frozen=True, slots=True)
class Evidence:
    """A term that moved the score."""

    term: str
    start: int  # characters into the field
    end: int
    field: str  # "title" or "text"
    weight: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a classifier says of an article, and why: base + the weights of the evidence = logit(score)."""

    label: Label
    score: float  # in (0, 1)
    threshold: float  # score >= threshold: defense
    needs_review: bool
    topics: tuple[str, ...]  # codes of the codebook, strongest first
    evidence: tuple[Evidence, ...]  # largest weight first
    classifier: str  # name@version
    base: float = 0.0  # log-odds before the evidence: of such a text without it, and of words too weak to list
    tagger: str | None = None  # name@version; None: nothing was tagged
    countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-2
    entities: tuple[tuple[str, str], ...] = field(default=())  # (name, kind)
