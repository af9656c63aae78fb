"""The ten sites of the newsroom and the feeds that each of them offers: a table, nothing else."""

from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """How a feed is written."""

    RSS091 = "rss091"  # title, link, description: no dates, no ids
    RSS20_FULL = "rss20-full"  # content:encoded
    RSS20 = "rss20"  # summaries only
    RDF = "rdf"  # RSS 1.0
    ATOM = "atom10"
    JSON = "json11"


class Layout(StrEnum):
    """How a site marks up its article pages; the names of the files in templates/."""

    GRAPH = "graph"  # JSON-LD @graph, as WordPress plugins write it
    META = "meta"  # og: and article: meta elements only
    MICRODATA = "microdata"
    BARE = "bare"  # tables, no metadata
    AMP = "amp"
    LEGACY = "legacy"  # not UTF-8, and only the page says so


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """One feed of a site."""

    path: str
    title: str
    format: Format
    section: str | None = None  # None: every section
    tracking: str = ""  # query string that the feed adds to every link
    holds: int = 6  # newest entries


@dataclass(frozen=True, slots=True)
class Site:
    """A publisher, without its address."""

    key: str
    name: str
    desk: str  # takes the texts of this desk
    kind: str  # trade | official | wire | general | thinktank
    country: str
    lang: str
    layout: Layout
    path: str  # of an article; {slug} {number} {date} {section}
    feeds: tuple[FeedPlan, ...]
    via: str = ""  # path of a link that is answered by 301 to the article; {number}
    english: bool = True  # takes filler
    promo: str = ""  # a paragraph that it puts into its articles, as if it were text


SITES = (
    Site(
        key="vector",
        name="Vector Defence Review",
        desk="trade",
        kind="trade",
        country="US",
        lang="en",
        layout=Layout.GRAPH,
        path="/{date}/{slug}/",
        feeds=(
            FeedPlan("/feed/", "Vector Defence Review", Format.RSS20_FULL),
            FeedPlan("/category/air/feed/", "Vector Defence Review: Air", Format.RSS20, "Air"),
        ),
        promo=(
            "Vector Defence Review has reported from ranges, yards and ministries since 1987 and belongs to the people"
            " who write it."
        ),
    ),
    Site(
        key="keel",
        name="Keel & Bridge",
        desk="naval",
        kind="trade",
        country="GB",
        lang="en",
        layout=Layout.MICRODATA,
        path="/news/{number}-{slug}",
        feeds=(FeedPlan("/rss.rdf", "Keel & Bridge", Format.RDF),),
    ),
    Site(
        key="meridian",
        name="Meridian Wire",
        desk="wire",
        kind="wire",
        country="GB",
        lang="en",
        layout=Layout.META,
        path="/{section}/{slug}-{number}",
        feeds=(
            FeedPlan(
                "/rss/latest.xml",
                "Meridian Wire: Latest",
                Format.RSS20,
                tracking="utm_source=rss&utm_medium=feed&utm_campaign=latest",
            ),
            FeedPlan("/rss/world.xml", "Meridian Wire: World", Format.RSS20, "World", tracking="utm_source=rss"),
        ),
    ),
    Site(
        key="corvid",
        name="Corvid Press Service",
        desk="wire",
        kind="wire",
        country="IE",
        lang="en",
        layout=Layout.AMP,
        path="/article/{slug}.html",
        feeds=(FeedPlan("/atom.xml", "Corvid Press Service", Format.ATOM),),
    ),
    Site(
        key="northcom",
        name="Northern Joint Command Press Office",
        desk="official",
        kind="official",
        country="NO",
        lang="en",
        layout=Layout.BARE,
        path="/releases/{number}.htm",
        feeds=(FeedPlan("/releases/atom", "Northern Joint Command: Releases", Format.ATOM),),
    ),
    Site(
        key="westmark",
        name="Westmark Institute",
        desk="thinktank",
        kind="thinktank",
        country="US",
        lang="en",
        layout=Layout.GRAPH,
        path="/commentary/{slug}",
        feeds=(FeedPlan("/feed.json", "Westmark Institute", Format.JSON),),
    ),
    Site(
        key="eleven",
        name="Channel Eleven News",
        desk="broadcaster",
        kind="general",
        country="US",
        lang="en",
        layout=Layout.AMP,
        path="/{section}/{slug}-n{number}",
        feeds=(FeedPlan("/rss", "Channel Eleven News", Format.RSS091),),
    ),
    Site(
        key="gazette",
        name="Riverton Gazette",
        desk="local",
        kind="general",
        country="US",
        lang="en",
        layout=Layout.META,
        path="/story/{date}/{slug}.html",
        via="/go/{number}",
        feeds=(FeedPlan("/index.rss", "Riverton Gazette", Format.RSS20),),
        promo="This story came about because a reader called us. Tell the Gazette what is happening on your street.",
    ),
    Site(
        key="kontinent",
        name="Kontinent am Abend",
        desk="europe",
        kind="general",
        country="DE",
        lang="de",
        layout=Layout.LEGACY,
        path="/artikel/{number}.html",
        feeds=(FeedPlan("/rss.xml", "Kontinent am Abend", Format.RSS20),),
        english=False,
    ),
    Site(
        key="dispatch",
        name="East Strait Dispatch",
        desk="asia",
        kind="general",
        country="KR",
        lang="ko",
        layout=Layout.LEGACY,
        path="/view/{number}",
        feeds=(FeedPlan("/feed.json", "East Strait Dispatch", Format.JSON),),
        english=False,
    ),
)
