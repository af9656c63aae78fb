"""The full-text index: FTS5 on SQLite, a table of tsvectors on PostgreSQL; an article's facets stand in it as tokens.

It is kept in step by `add`, `remove` and `refresh`, in the transaction that writes the article, never by triggers
(Alembic's batch mode drops them). On SQLite it is external content over the view `search_texts`, which unpacks the
texts: FTS5's own `rebuild` and `integrity-check` work on any connection that has the functions `unpack` and `paired`.
There an article stands at a place, a number in the order of its id: the 44 bits that ids differ by would be written out
for each word of each article, a third of the whole index. It keeps its place when it is indexed again.
Both databases get words split in the same way: PostgreSQL's own parser would make "B-52H" a number.
`articles.facets` holds the tokens as they are indexed; NULL: the article is not in the index.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.query import Filters, facets
from pipeline.query.words import tokens
from pipeline.store.tables import articles, texts, verdicts

TABLE = "search_index"
PLACES = "search_index_places"  # of articles in it, on SQLite only
PLACE_SHIFT = 16  # bits of an id that its place has not: 16 places a second, and whoever finds his taken goes on
LONGEST_TITLE = 2_000  # characters
LONGEST_TSVECTOR_TEXT = 200_000  # characters
LARGEST_TSVECTOR = 900_000  # bytes of the words of a text with their places; the whole ends at 1 MB
PLACE_BYTES = 5  # of a word, with what aligns it
CHARACTER_BYTES = 8 + PLACE_BYTES  # of a text at most: a pair begins at each of its characters
COLUMNS = "text, title, authors, facets"  # of FTS5's table and of the view
INSERT = (
    f"INSERT INTO {TABLE}(article_id, words, facets) VALUES (:id,"  # noqa: S608
    " setweight(to_tsvector('defnews', :title), 'A') || setweight(to_tsvector('defnews', :authors), 'B')"
    " || to_tsvector('defnews', :body), string_to_array(:facets, ' '))"
)
PLACE = f"INSERT OR IGNORE INTO {PLACES}(place, article_id) VALUES (:id >> {PLACE_SHIFT}, :id)"  # noqa: S608
NEXT_PLACE = (
    f"INSERT INTO {PLACES}(place, article_id) SELECT place + 1, :id FROM {PLACES} AS taken WHERE place >= :after"  # noqa: S608
    f" AND NOT EXISTS (SELECT 1 FROM {PLACES} WHERE place = taken.place + 1) ORDER BY place LIMIT 1 RETURNING place"
)

INDEXED = {  # the articles that the index holds; to FTS5 itself the rows of the view are its own
    True: f"(SELECT coalesce(article_id, 0) article_id FROM {TABLE}_docsize LEFT JOIN {PLACES} ON place = id)",  # noqa: S608
    False: TABLE,
}
EMPTY = {True: f"INSERT INTO {TABLE}({TABLE}) VALUES ('delete-all')", False: f"TRUNCATE {TABLE}"}  # noqa: S608


def facets_of(values: Mapping[str, Any]) -> str:
    """The tokens of an article, from its row and the tags of its newest verdict."""
    lang = (values["lang"] or "").lower()
    passes = Filters(
        labels=(values["label"], "review") if values["needs_review"] else (values["label"],),
        topics=tuple(values["topics"]),
        countries=tuple(values["countries"]),
        entities=tuple(entity["name"] for entity in values["entities"]),
        feed_ids=() if values["feed_id"] is None else (values["feed_id"],),
        sites=(values["site"],),
        langs=tuple(lang[:end] for end in (*(n for n, char in enumerate(lang) if char == "-"), len(lang)) if end),
        is_teaser=values["is_teaser"],
    )
    return facets.of_article(passes, values["published_at"])


async def add(c: AsyncConnection, ids: Collection[int]) -> None:
    """Index articles, whose rows, texts and facets are written."""
    if not ids:
        return
    if c.dialect.name == "sqlite":
        await _place(c, ids)
        rows = f"SELECT place, {COLUMNS} FROM search_texts WHERE id IN :ids ORDER BY place"  # noqa: S608 - ascending is fastest
        await c.execute(_of(f"INSERT INTO {TABLE}(rowid, {COLUMNS}) {rows}"), {"ids": list(ids)})
        return
    wanted = select(articles.c.id, articles.c.title, articles.c.authors, articles.c.facets, texts.c.body)
    found = await c.execute(wanted.join(texts).where(articles.c.id.in_(ids)))
    await c.execute(text(INSERT), [tsvector_values(row._asdict()) for row in found])


async def _place(c: AsyncConnection, ids: Collection[int]) -> None:
    """Give articles their places, those that have none."""
    await c.execute(text(PLACE), [{"id": key} for key in sorted(ids)])
    unplaced = f"SELECT id FROM articles WHERE id IN :ids AND id NOT IN (SELECT article_id FROM {PLACES}) ORDER BY id"  # noqa: S608
    after: dict[int, int] = {}  # the last place that was given to one who found his taken
    for key in (await c.execute(_of(unplaced), {"ids": list(ids)})).scalars().all():
        wanted = key >> PLACE_SHIFT
        found = await c.execute(text(NEXT_PLACE), {"id": key, "after": after.get(wanted, wanted)})
        after[wanted] = found.scalar_one()


async def remove(c: AsyncConnection, ids: Collection[int]) -> None:
    """Take articles out, before what was indexed of them changes."""
    if c.dialect.name == "sqlite":
        rows = f"SELECT 'delete', place, {COLUMNS} FROM search_texts WHERE id IN :ids"  # noqa: S608
        await c.execute(_of(f"INSERT INTO {TABLE}({TABLE}, rowid, {COLUMNS}) {rows}"), {"ids": list(ids)})
    else:
        await c.execute(_of(f"DELETE FROM {TABLE} WHERE article_id IN :ids"), {"ids": list(ids)})  # noqa: S608


async def refresh(c: AsyncConnection, ids: Collection[int]) -> None:
    """Bring what the index says of these articles' facets in step with their rows and newest verdicts."""
    new = [row for row in await _facets(c, ids) if row["old"] is not None and row["new"] != row["old"]]
    changed = [row["id"] for row in new]
    if changed:
        await remove(c, changed)
        await _file(c, new)


async def restore(c: AsyncConnection, ids: Collection[int]) -> None:
    """Index articles that have a text, and are not in the index, by what their rows and newest verdicts say."""
    await _file(c, await _facets(c, ids))


async def _file(c: AsyncConnection, new: Sequence[Mapping[str, Any]]) -> None:
    """Index articles with new facets."""
    change = update(articles).where(articles.c.id == bindparam("key")).values(facets=bindparam("new_facets"))
    if new:
        await c.execute(change, [{"key": row["id"], "new_facets": row["new"]} for row in new])
    await add(c, [row["id"] for row in new])


async def _facets(c: AsyncConnection, ids: Collection[int]) -> list[dict[str, Any]]:
    """The facets that articles are indexed with, and those that they have."""
    given = verdicts.alias()
    last = select(func.max(given.c.id)).where(given.c.article_id == articles.c.id).correlate(articles)
    query = (
        select(articles, verdicts.c.topics, verdicts.c.countries, verdicts.c.entities)
        .select_from(articles)
        .join(verdicts, verdicts.c.article_id == articles.c.id)  # else PostgreSQL reads all verdicts to find the newest
        .where(verdicts.c.id == last.scalar_subquery())
        .where(articles.c.id.in_(ids))
    )
    return [{"id": row.id, "old": row.facets, "new": facets_of(row._asdict())} for row in await c.execute(query)]


def tsvector_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """What `INSERT` takes of an article: its words, split as FTS5 splits them, with pairs in place of runs."""
    long = {
        "title": row["title"][:LONGEST_TITLE],
        "authors": ", ".join(row["authors"])[:LONGEST_TITLE],
        "body": row["body"][:LONGEST_TSVECTOR_TEXT],
    }
    return {"id": row["id"], "facets": row["facets"], **{name: _spread(value) for name, value in long.items()}}


def _spread(value: str) -> str:
    """The words as they are indexed, as many as a tsvector holds even if no two are the same."""
    words = tokens(value)
    return " ".join(_bounded(words) if len(value) * CHARACTER_BYTES > LARGEST_TSVECTOR else words)


def _bounded(words: Iterable[str]) -> Iterator[str]:
    size = 0
    for word in words:
        size += len(word.encode()) + PLACE_BYTES
        if size > LARGEST_TSVECTOR:
            return
        yield word


def _of(statement: str) -> Any:
    return text(statement).bindparams(bindparam("ids", expanding=True))
