"""Articles with their texts, verdicts, tags and index rows: written together or not at all."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline import urls
from pipeline.model import Article, Verdict
from pipeline.store import search_index
from pipeline.store.tables import articles, labels, tags, texts, verdicts

_HASH_BITS = 20
_CLASHES = 16  # articles of one second and one hash that are looked for


@dataclass(frozen=True, slots=True)
class Filing:
    """An article as it goes into the tables, with its verdict and whence it came."""

    id: int
    article: Article
    verdict: Verdict
    at: datetime
    run_id: int
    feed_id: int | None
    archive: str | None
    first_seen_at: datetime


def text_hash(text: str) -> str:
    """SHA-256 of a text, hex."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def article_id(article: Article) -> int:
    """The time-ordered id: published seconds << 20 | 20 bits of the canonical URL's hash."""
    seconds = max(int(article.published_at.timestamp()), 0)
    digest = hashlib.sha256(article.canonical_url.encode()).digest()
    return seconds << _HASH_BITS | int.from_bytes(digest[:3], "big") >> 4


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
    await search_index.add(c, [(n.id, n.article.title, n.article.text) for n in new])
    await _add_verdicts(c, new)


async def revise(c: AsyncConnection, new: Filing) -> bool:
    """Bring a stored article up to date with what its page says now; returns whether anything changed.

    Its id, canonical URL and first date stay.
    """
    key, article = new.id, new.article
    query = select(articles.c.title, articles.c.text_hash, texts.c.body).join(texts).where(articles.c.id == key)
    old = (await c.execute(query)).one()
    if (old.title, old.text_hash) == (article.title, text_hash(article.text)):
        return False
    values = {
        "title": article.title,
        "authors": list(article.authors),
        "updated_at": article.updated_at,
        "extractor": article.extractor,
        "text_hash": text_hash(article.text),
        "chars": len(article.text),
        "revised_at": new.at,
    }
    await search_index.remove(c, key, old.title, old.body)
    await c.execute(update(articles).where(articles.c.id == key).values(**values))
    await c.execute(update(texts).where(texts.c.article_id == key).values(body=article.text))
    await search_index.add(c, [(key, article.title, article.text)])
    await _judge_again(c, new)
    return True


async def _judge_again(c: AsyncConnection, new: Filing) -> None:
    """Add a verdict on a stored article: it becomes the article's label, unless a person has said otherwise."""
    await c.execute(delete(tags).where(tags.c.article_id == new.id, tags.c.kind == "topic"))
    await _add_verdicts(c, [new])
    has_person = select(labels.c.id).where(labels.c.article_id == new.id).exists()
    await c.execute(update(articles).where(articles.c.id == new.id, ~has_person).values(**_label_values(new.verdict)))


async def _add_verdicts(c: AsyncConnection, new: Sequence[Filing]) -> None:
    await c.execute(insert(verdicts), [_verdict_values(n) for n in new])
    topics = [
        {"kind": "topic", "name": topic, "article_id": n.id} for n in new for topic in dict.fromkeys(n.verdict.topics)
    ]
    if topics:
        await c.execute(insert(tags), topics)


def _label_values(verdict: Verdict) -> dict[str, Any]:
    return {"label": verdict.label.value, "score": verdict.score, "needs_review": verdict.needs_review}


def _verdict_values(new: Filing) -> dict[str, Any]:
    verdict = new.verdict
    return {
        "article_id": new.id,
        "classifier": verdict.classifier,
        "tagger": verdict.tagger,
        "threshold": verdict.threshold,
        "topics": list(verdict.topics),
        "evidence": [asdict(evidence) for evidence in verdict.evidence],
        "text_hash": text_hash(new.article.text),
        "created_at": new.at,
        "run_id": new.run_id,
        **_label_values(verdict),
    }


def _article_values(new: Filing) -> dict[str, Any]:
    article, verdict = new.article, new.verdict
    return {
        "id": new.id,
        "canonical_url": article.canonical_url,
        "url": article.url,
        "site": urls.site(article.canonical_url),
        "title": article.title,
        "authors": list(article.authors),
        "published_at": article.published_at,
        "published_from": article.published_from.value,
        "updated_at": article.updated_at,
        "lang": article.lang,
        "site_name": article.site_name,
        "extractor": article.extractor,
        "text_hash": text_hash(article.text),
        "chars": len(article.text),
        "feed_id": new.feed_id,
        "archive": new.archive,
        "first_seen_at": new.first_seen_at,
        "stored_at": new.at,
        **_label_values(verdict),
    }
