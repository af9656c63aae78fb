"""Articles with their texts, verdicts and index rows: written together or not at all."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline import urls
from pipeline.model import Article, Verdict
from pipeline.stages import agencies, dedup
from pipeline.stages.dedup import Fingerprint
from pipeline.store import kin, search_index
from pipeline.store import verdicts as verdict_rows
from pipeline.store.tables import articles, revisions, texts

ID_HASH_BITS = 20
_CLASHES = 16  # articles of one second and one hash that are looked for


@dataclass(frozen=True, slots=True)
class Filing:
    """An article as it goes into the tables, with its verdict and whence it came."""

    id: int
    article: Article
    fingerprint: Fingerprint
    verdict: Verdict
    second: Verdict | None  # given after it
    at: datetime
    run_id: int
    feed_id: int | None
    archive: str | None
    first_seen_at: datetime

    @property
    def site(self) -> str:
        """The registered domain that it belongs to."""
        return urls.site(self.article.canonical_url)


def agency(article: Article) -> str | None:
    """The name of the agency that wrote an article."""
    found = agencies.agency(article)
    return found.name if found else None


def text_hash(text: str) -> str:
    """SHA-256 of a text, hex."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def article_id(article: Article) -> int:
    """The time-ordered id: published seconds << 20 | 20 bits of the canonical URL's hash."""
    seconds = max(int(article.published_at.timestamp()), 0)
    digest = hashlib.sha256(article.canonical_url.encode()).digest()
    return seconds << ID_HASH_BITS | int.from_bytes(digest[:3], "big") >> 4


def first_id(at: datetime) -> int:
    """No article that was published in that second or later has a smaller id; a date that was corrected since aside."""
    return int(at.timestamp()) << ID_HASH_BITS


def free_id(article: Article, taken: set[int]) -> int:
    """The article's id, or the next that is not taken."""
    key = article_id(article)
    while key in taken:
        key += 1
    return key


async def taken_ids(c: AsyncConnection, wanted: Sequence[Article]) -> set[int]:
    """The ids in use at and right after those that the articles would get."""
    near = [article_id(article) + step for article in wanted for step in range(_CLASHES)]
    return set((await c.execute(select(articles.c.id).where(articles.c.id.in_(near)))).scalars())


async def add(c: AsyncConnection, new: Sequence[Filing]) -> None:
    """Store new articles."""
    if not new:
        return
    await c.execute(insert(articles), [_article_values(n) for n in new])
    await c.execute(insert(texts), [{"article_id": n.id, "body": n.article.text} for n in new])
    await search_index.add(c, [n.id for n in new])
    await kin.mark(c, {n.id: n.fingerprint for n in new})
    await verdict_rows.add(c, [_judgement(n, n.verdict) for n in new])
    await _add_second(c, new)


async def revise(c: AsyncConnection, new: Filing) -> bool:
    """Bring a stored article up to date with what its page says now; returns whether anything changed.

    Its id, canonical URL and first date stay; what it said before is kept as a revision.
    """
    key, article = new.id, new.article
    await verdict_rows.lock(c, [key])
    query = select(articles.c.title, articles.c.text_hash, texts.c.body).outerjoin(texts).where(articles.c.id == key)
    old = (await c.execute(query)).one()
    if (old.title, old.text_hash) == (article.title, text_hash(article.text)):
        return False
    if old.body is not None:  # it was not purged
        before = {"article_id": key, "until_at": new.at, "title": old.title, "body": old.body}
        await c.execute(insert(revisions), [before])
    await _rewrite(c, key, article, _told(article) | {"url": article.url, "revised_at": new.at})
    await verdict_rows.add_again(c, [_judgement(new, new.verdict)])
    await _add_second(c, [new])
    return True


async def renew(c: AsyncConnection, key: int, article: Article) -> None:
    """Give a stored article what the same page is read as today; its id and URLs stay."""
    dated = {"published_at": article.published_at, "published_from": article.published_from.value}
    await _rewrite(c, key, article, _told(article) | dated)


async def _rewrite(c: AsyncConnection, key: int, article: Article, values: Mapping[str, Any]) -> None:
    """Change an article's row, its text, its marks and what the index holds of it."""
    query = select(articles.c.site, articles.c.title, texts.c.body).outerjoin(texts).where(articles.c.id == key)
    old = (await c.execute(query)).one()
    known = ((old.title, old.body or ""), (article.title, article.text))
    await kin.mark_anew(c, key, *(dedup.fingerprint(old.site, *text) for text in known))
    await search_index.remove(c, [key])
    await c.execute(delete(texts).where(texts.c.article_id == key))
    unpurged = {"purged_at": None, "facets": func.coalesce(articles.c.facets, "")}
    await c.execute(update(articles).where(articles.c.id == key).values(**values, **unpurged))
    await c.execute(insert(texts), [{"article_id": key, "body": article.text}])
    await search_index.add(c, [key])
    await search_index.refresh(c, [key])


async def _add_second(c: AsyncConnection, new: Sequence[Filing]) -> None:
    """Add the verdicts of the second reader, which count from then on."""
    if judged := [_judgement(n, n.second) for n in new if n.second is not None]:
        await verdict_rows.add_again(c, judged)


def _judgement(new: Filing, verdict: Verdict) -> verdict_rows.Judgement:
    digest = text_hash(new.article.text)
    return verdict_rows.Judgement(new.id, verdict, digest, new.at, new.run_id, new.article.site_memory)


def _article_values(new: Filing) -> dict[str, Any]:
    article, verdict = new.article, new.verdict
    values = {
        "id": new.id,
        "canonical_url": article.canonical_url,
        "url": article.url,
        "site": new.site,
        "published_at": article.published_at,
        "published_from": article.published_from.value,
        **_told(article),
        "feed_id": new.feed_id,
        "archive": new.archive,
        "first_seen_at": new.first_seen_at,
        "stored_at": new.at,
        **verdict_rows.label_values(verdict),
    }
    return values | {"facets": search_index.facets_of(values | verdict_rows.tag_values(verdict))}


def _told(article: Article) -> dict[str, Any]:
    """What a page says, and may say otherwise when it is read again."""
    return {
        "title": article.title,
        "authors": list(article.authors),
        "agency": agency(article),
        "updated_at": article.updated_at,
        "lang": article.lang,
        "site_name": article.site_name,
        "section": article.section,
        "tags": list(article.tags),
        "is_teaser": article.is_teaser,
        "extractor": article.extractor,
        "site_memory": article.site_memory,
        "text_hash": text_hash(article.text),
        "chars": len(article.text),
    }
