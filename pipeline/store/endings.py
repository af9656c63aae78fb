"""Endings: what became of claimed work, committed in batches: stored, duplicate, dropped, or waiting again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline import urls
from pipeline.model import Article, FeedTrust, Label, Outcome, Verdict
from pipeline.stages import dedup
from pipeline.stages.dedup import Kin, Kinship
from pipeline.stages.remember import Block
from pipeline.store import articles as article_rows
from pipeline.store import kin, memories, pages, retention
from pipeline.store.database import Batcher, Database
from pipeline.store.pages import KeptAt
from pipeline.store.tables import article_entries, articles, entries, events, feed_trusts, reprints
from pipeline.store.tables import urls as url_rows
from pipeline.store.work import Work

if TYPE_CHECKING:
    from pipeline.stages.story import Sketch


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a piece of work."""

    work: Work
    at: datetime
    outcome: Outcome | None  # None: it waits until due_at
    article: Article | None = None  # with its verdict: stored, unless its URL turns out to be known
    verdict: Verdict | None = None
    article_id: int | None = None  # of the article that it repeats; filled in when stored
    reason: str | None = None
    detail: str | None = None
    due_at: datetime | None = None
    is_counted: bool = True  # as an attempt, when it waits
    second: Verdict | None = None  # by the second reader: stored after the other one, so that it counts
    kept: KeptAt | None = None  # the page that was fetched for it
    trust: FeedTrust | None = None  # in the feed of the lead entry from now on; None: as before
    blocks: tuple[Block, ...] = ()  # of the article: what it teaches of its site, if it is new

    @property
    def label(self) -> Label | None:
        """What the newest verdict says."""
        newest = self.second or self.verdict
        return newest.label if newest else None


class _Known(NamedTuple):
    """The article that a URL leads to, with the URLs of its own page: the one that led to it may be a reprint's."""

    id: int
    own_urls: tuple[str, ...]


class _Settling:
    """What becomes of the articles of a batch, one after the other."""

    def __init__(
        self, known: dict[str, _Known], taken: set[int], kindred: kin.Kindred, purged: Mapping[str, int]
    ) -> None:
        self._known, self._taken, self._kindred, self._purged = known, taken, kindred, purged
        self.new: list[article_rows.Filing] = []
        self.reprints: list[dict[str, Any]] = []

    def known_as(self, article: Article) -> _Known | None:
        """The article that one of its URLs leads to already."""
        return next((self._known[url] for url in _own_urls(article) if url in self._known), None)

    def moved(self, work: Work, filing: article_rows.Filing) -> _Known | None:
        """The article that a feed announced anew, now under an unknown URL: its site has much the same text."""
        key = self._kindred.of_site(filing.fingerprint) if work.is_revision else None
        return None if key is None else _Known(key, _own_urls(filing.article))

    def settle(self, ending: Ending, filing: article_rows.Filing) -> Ending:
        """An article under a new URL is a reprint of another one, or stored."""
        found = self._kindred.repeated(filing.fingerprint) or self._was_purged(filing)
        if found is not None:
            key, copied = found
            self.reprints += _reprint_rows(ending, filing, copied)
            share = f"{copied.shared:.0%} of its text"
            ended = replace(ending, outcome=Outcome.DUPLICATE, article_id=key, reason=copied.kinship, detail=share)
            known = _Known(key, ())
        else:
            key = article_rows.free_id(filing.article, self._taken)
            self._taken.add(key)
            self._kindred.add(key, filing.fingerprint)
            self.new.append(replace(filing, id=key))
            ended = replace(ending, outcome=Outcome.STORED, article_id=key)
            known = _Known(key, _own_urls(filing.article))
        self._known.update(dict.fromkeys(_own_urls(filing.article), known))
        return ended

    def _was_purged(self, filing: article_rows.Filing) -> tuple[int, Kin] | None:
        """The article that had this text until it was purged."""
        key = self._purged.get(article_rows.text_hash(filing.article.text)) if filing.fingerprint.marks else None
        return None if key is None else (key, Kin(Kinship.SAME, 1.0))


class EndingRows:
    """Commits endings; those that come together share a transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._batches: Batcher[Ending, Ending] = Batcher(self._write)

    async def put(self, ending: Ending) -> Ending:
        """Commit an ending; returns it as it became: an article whose URL is known becomes a duplicate."""
        return await self._batches.put(ending)

    async def _write(self, batch: list[Ending]) -> list[Ending]:
        filings = {e.work.lead.id: _filing(e, e.article, e.verdict) for e in batch if e.article and e.verdict}
        sketches = {e.work.lead.id: sketch for e in batch if (sketch := _sketch(e)) is not None}
        async with self._db.write() as c:
            held = await _still_held(c, batch)
            settled = await self._settle_articles(c, [e for e in batch if e.work.lead.id in held], filings)
            await self._finish_entries(c, settled)
            await self._trust_feeds(c, settled)
            await _join_stories(c, settled, sketches)
        by_entry = {ending.work.lead.id: ending for ending in settled}
        return [by_entry.get(e.work.lead.id, replace(e, outcome=None, reason="claim-lost")) for e in batch]

    async def _settle_articles(
        self, c: AsyncConnection, batch: list[Ending], filings: Mapping[int, article_rows.Filing]
    ) -> list[Ending]:
        """Store the articles that are new, revise those that changed, turn the others into duplicates."""
        await kin.lock(c, [filing.fingerprint for filing in filings.values()])
        settling = _Settling(
            await _known_urls(c, batch),
            await article_rows.taken_ids(c, [filing.article for filing in filings.values()]),
            await kin.near(c, [filing.fingerprint for filing in filings.values()]),
            await retention.purged(c, [article_rows.text_hash(filing.article.text) for filing in filings.values()]),
        )
        settled = []
        for ending in batch:
            filing = filings.get(ending.work.lead.id)
            if filing is None:
                settled.append(ending)
            elif (known := settling.known_as(filing.article) or settling.moved(ending.work, filing)) is None:
                settled.append(settling.settle(ending, filing))
            elif _is_revision(ending.work, known, filing.article):
                is_changed = await article_rows.revise(c, replace(filing, id=known.id))
                reason = "revised" if is_changed else "unchanged"
                settled.append(replace(ending, outcome=Outcome.STORED, article_id=known.id, reason=reason))
            else:
                settled.append(replace(ending, outcome=Outcome.DUPLICATE, article_id=known.id))
        await article_rows.add(c, settling.new)
        await self._teach(c, settled)
        await self._remember_urls(c, settled)
        await self._remember_reprints(c, settled, settling.reprints)
        return settled

    async def _remember_reprints(self, c: AsyncConnection, settled: list[Ending], rows: list[dict[str, Any]]) -> None:
        own = [e.work.lead.id for e in settled if e.outcome is Outcome.STORED and e.work.is_revision]
        if own:  # was one, perhaps
            await c.execute(reprints.delete().where(reprints.c.entry_id.in_(own)))
        if rows:
            statement = self._db.insert(reprints)
            changes = {name: statement.excluded[name] for name in rows[0]}
            await c.execute(statement.on_conflict_do_update(index_elements=["entry_id"], set_=changes), rows)

    async def _teach(self, c: AsyncConnection, settled: list[Ending]) -> None:
        """Let the memories of sites take in new articles."""
        taught: dict[str, list[tuple[Block, ...]]] = {}
        for ending in settled:
            is_new = ending.outcome is Outcome.STORED and ending.reason is None
            if is_new and ending.article is not None and ending.blocks:
                taught.setdefault(urls.site(ending.article.canonical_url), []).append(ending.blocks)
        if taught:
            await memories.learn(c, self._db, taught)

    async def _trust_feeds(self, c: AsyncConnection, settled: list[Ending]) -> None:
        """Remember what feeds are trusted with from now on."""
        trusts = {e.work.lead.feed_id: asdict(e.trust) for e in settled if e.trust is not None}
        if trusts:
            statement = self._db.insert(feed_trusts)
            changes = {name: statement.excluded[name] for name in ("agreed", "is_doubted", "unchecked")}
            by_id = sorted(trusts.items(), key=lambda item: item[0] or 0)  # as all do, so that none waits for another
            rows = [{"feed_id": feed_id, **trust} for feed_id, trust in by_id]
            await c.execute(statement.on_conflict_do_update(index_elements=["feed_id"], set_=changes), rows)

    async def _remember_urls(self, c: AsyncConnection, settled: list[Ending]) -> None:
        """Map every URL on the way to the article."""
        led = [{"key": e.work.url_id, "article_id": e.article_id} for e in settled if e.article_id is not None]
        if led:
            is_open = (url_rows.c.id == bindparam("key")) & url_rows.c.article_id.is_(None)
            await c.execute(update(url_rows).where(is_open), led)
        rows = {
            url: {"url": url, "article_id": e.article_id, "first_seen_at": e.at}
            for e in settled
            if e.article is not None and e.article_id is not None
            for url in _own_urls(e.article)
        }
        if rows:
            statement = self._db.insert(url_rows)
            statement = statement.on_conflict_do_update(
                index_elements=["url"],
                set_={"article_id": statement.excluded.article_id},
                where=url_rows.c.article_id.is_(None),
            )
            await c.execute(statement, [rows[url] for url in sorted(rows)])

    async def _finish_entries(self, c: AsyncConnection, settled: list[Ending]) -> None:
        rows = [row for ending in settled for row in _entry_rows(ending)]
        if not rows:
            return
        await c.execute(update(entries).where(entries.c.id == bindparam("entry")), rows)
        done = [row["entry"] for row in rows if row["state"] == "done"]
        await c.execute(update(entries).where(entries.c.id.in_(done)).values(payload=None))
        await pages.remember(c, self._db, settled)
        appearances = [
            {"entry_id": claimed.id, "article_id": ending.article_id}
            for ending in settled
            if ending.article_id is not None
            for claimed in ending.work.claimed
        ]
        if appearances:
            statement = self._db.insert(article_entries)
            change = {"article_id": statement.excluded.article_id}
            await c.execute(statement.on_conflict_do_update(index_elements=["entry_id"], set_=change), appearances)
        await c.execute(insert(events), [_event(ending, row) for ending in settled for row in _entry_rows(ending)])


async def _join_stories(c: AsyncConnection, settled: list[Ending], sketches: Mapping[int, "Sketch"]) -> None:
    """Let new and changed articles find their stories: last of all, since nobody else may change stories meanwhile."""
    from pipeline.store import joining  # noqa: PLC0415 - loads numpy

    stored = [e for e in settled if e.outcome is Outcome.STORED and e.article_id is not None]
    new = {e.article_id: sketches.get(e.work.lead.id) for e in stored if e.reason is None}
    await joining.add(c, {key: sketch for key, sketch in new.items() if key is not None and sketch is not None})
    await joining.revise(c, [e.article_id for e in stored if e.reason == "revised" and e.article_id is not None])


def _sketch(ending: Ending) -> "Sketch | None":
    """What an article is about that may be a report of an event; made before the transaction that needs it."""
    from pipeline.stages.story import sketch  # noqa: PLC0415 - loads numpy

    article, verdict = ending.article, ending.second or ending.verdict
    if article is None or verdict is None or not (verdict.needs_review or verdict.label is Label.DEFENSE):
        return None
    return sketch(article.title, article.text, article.lang, verdict.countries, article.published_at)


async def _still_held(c: AsyncConnection, batch: list[Ending]) -> set[int]:
    """The lead entries that are still ours: a run that fell silent loses its claims."""
    rows = await c.execute(
        select(entries.c.id, entries.c.run_id).where(
            entries.c.id.in_([ending.work.lead.id for ending in batch]), entries.c.state == "claimed"
        )
    )
    holders = {row.id: row.run_id for row in rows}
    return {e.work.lead.id for e in batch if holders.get(e.work.lead.id) == e.work.run_id}


def _own_urls(article: Article) -> tuple[str, ...]:
    """The spellings under which an article is known."""
    return _spellings(article.canonical_url, article.url)


def _spellings(canonical: str, read_from: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((canonical, urls.canonical_url(read_from) or read_from)))


async def _known_urls(c: AsyncConnection, batch: list[Ending]) -> dict[str, _Known]:
    wanted = sorted({url for ending in batch if ending.article for url in _own_urls(ending.article)})
    query = (
        select(url_rows.c.url.label("known"), articles.c.id, articles.c.canonical_url, articles.c.url)
        .join(articles, articles.c.id == url_rows.c.article_id)
        .where(url_rows.c.url.in_(wanted))
    )
    return {row.known: _Known(row.id, _spellings(row.canonical_url, row.url)) for row in await c.execute(query)}


def _is_revision(work: Work, known: _Known, article: Article) -> bool:
    """Whether a feed announced a stored article anew, and this is its own page: a reprint does not overwrite it."""
    is_same = work.article_id in (None, known.id)  # None: under a new link
    return work.is_revision and is_same and not set(known.own_urls).isdisjoint(_own_urls(article))


def _reprint_rows(ending: Ending, filing: article_rows.Filing, copied: Kin) -> list[dict[str, Any]]:
    article = filing.article
    row = {
        "url": article.canonical_url,
        "outlet": article.site_name,
        "title": article.title,
        "agency": article_rows.agency(filing.article),
        "shared": copied.shared,
    }
    return [{"entry_id": claimed.id, **row} for claimed in ending.work.claimed]


def _filing(ending: Ending, article: Article, verdict: Verdict) -> article_rows.Filing:
    lead = ending.work.lead
    return article_rows.Filing(
        id=article_rows.article_id(article),
        article=article,
        fingerprint=dedup.fingerprint(urls.site(article.canonical_url), article.title, article.text),
        verdict=verdict,
        second=ending.second,
        at=ending.at,
        feed_id=lead.feed_id,
        archive=lead.entry.archive,
        first_seen_at=lead.seen_at,
        run_id=ending.work.run_id,
    )


def _entry_rows(ending: Ending) -> list[dict[str, Any]]:
    """The new columns of each entry of the work: all share its fate, but only one of them is the stored one."""
    is_done = ending.outcome is not None
    rows = []
    for claimed in ending.work.claimed:
        outcome = ending.outcome
        if outcome is Outcome.STORED and claimed is not ending.work.lead:
            outcome = Outcome.DUPLICATE
        row: dict[str, Any] = {
            "entry": claimed.id,
            "state": "done" if is_done else "waiting",
            "run_id": None,
            "outcome": outcome.value if outcome else None,
            "reason": ending.reason,
            "detail": ending.detail,
            "attempts": claimed.attempts + (not is_done and ending.is_counted),
            "due_at": ending.due_at or ending.at,
            "done_at": ending.at if is_done else None,
            "published_at": ending.article.published_at if ending.article else claimed.entry.published_at,
        }
        rows.append(row)
    return rows


def _event(ending: Ending, row: dict[str, Any]) -> dict[str, Any]:
    kind = ending.reason if ending.reason in ("revised", "unchanged") else row["outcome"] or "waiting"
    detail = {
        "reason": ending.reason,
        "detail": ending.detail,
        "extractor": ending.article and ending.article.extractor,
    }
    if ending.due_at is not None:
        detail["until"] = ending.due_at.isoformat()
    return {
        "at": ending.at,
        "kind": kind,
        "entry_id": row["entry"],
        "article_id": ending.article_id,
        "run_id": ending.work.run_id,
        "detail": {name: value for name, value in detail.items() if value},
    }
