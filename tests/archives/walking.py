"""Walks an archive over the documents of the newsroom, without a server, a store or a clock."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pipeline.archives import ARCHIVES, Places, Reached, Span, Step, Wanted, body_of, read_whole
from pipeline.errors import StageError
from pipeline.model import Entry, Feed, Response
from pipeline.newsroom import Newsroom, RoomArticle
from pipeline.newsroom.documents import document
from pipeline.newsroom.sites import SITES

AT = datetime(2025, 7, 12, 12, 0, tzinfo=UTC)
ROOM = Newsroom(seed=1, at=AT, extra=1200)  # some 150 articles a site
JULY = Span(datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 7, 8, tzinfo=UTC))


@dataclass
class Walked:
    """What came of a walk."""

    entries: list[Entry] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)  # reasons
    is_back: bool = False

    @property
    def urls(self) -> list[str]:
        return [entry.id for entry in self.entries]


def feed(site: str, number: int = 0) -> Feed:
    """A feed of the newsroom."""
    urls = [one.url for one in ROOM.feeds if one.site == site]
    return Feed(id=1, url=urls[number], title=site)


def wanted(site: str, span: Span = JULY) -> Wanted:
    """The past of a site's first feed, with the archives of many sites at another site's address."""
    base = ROOM.origins[-1]
    return Wanted(feed(site), span, AT, Places(base, f"{base}/api/v2/doc/doc"))


def within(site: str, span: Span = JULY) -> set[str]:
    """The URLs of all articles of a site in a range."""
    return {a.url for a in of_site(site) if span.may_hold(a.published_at)}


def of_site(site: str) -> tuple[RoomArticle, ...]:
    return ROOM.listed(next(one for one in SITES if one.key == site))


def walk(name: str, asked: Wanted, instead: dict[str, tuple[int, bytes]] | None = None) -> Walked:
    """Read an archive to its end; `instead` are statuses and bodies of documents that are not as they should be."""
    walked = Walked()
    todo = list(ARCHIVES[name].start(asked))
    while todo:
        step = todo.pop(0)
        if step.url in walked.asked:
            continue
        walked.asked.append(step.url)
        for item in _found(name, step, asked.span, instead or {}, walked):
            if isinstance(item, Entry):
                walked.entries.append(item)
            elif isinstance(item, Reached):
                walked.is_back = True
            else:
                todo.append(item)
    return walked


def _found(
    name: str, step: Step, span: Span, instead: dict[str, tuple[int, bytes]], walked: Walked
) -> tuple[Entry | Step | Reached, ...]:
    found: tuple[Entry | Step | Reached, ...] = ()
    error: StageError | None
    try:
        found, error = read_whole(name, step, body_of(step, _response(step.url, instead)), span)
    except StageError as e:
        error = e
    if error is None:
        return found
    after = None if found else ARCHIVES[name].instead(step, error)
    if after is None:
        walked.missed.append(error.reason)
    return after or found


def _response(url: str, instead: dict[str, tuple[int, bytes]]) -> Response:
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    given = next((answer for start, answer in instead.items() if url.startswith(start)), None)
    if given is not None:
        return Response(url, given[0], (), given[1], AT)
    found = document(ROOM, origin, url.removeprefix(origin))
    if found.status in (301, 302):
        return _response(origin + dict(found.headers)["Location"], instead)
    return Response(url, found.status, (), found.body, AT)
