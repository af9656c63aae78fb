"""The full-text index: FTS5 on SQLite, a tsvector table on PostgreSQL.

It is kept in step by `add` and `remove`, in the transaction that writes the article, never by triggers
(Alembic's batch mode drops them). On SQLite it is external content over the view `search_texts` that unpacks the
texts: FTS5's own `rebuild` and `integrity-check` work on any connection that has the `unpack` function.
Both databases get words split in the same way: PostgreSQL's own parser would make "B-52H" a number.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.query.words import split_words

TABLE = "search_index"
LONGEST_TITLE = 2_000  # characters
LONGEST_TSVECTOR_TEXT = 400_000  # characters; a tsvector ends at 1 MB


async def add(connection: AsyncConnection, rows: Sequence[tuple[int, str, str]]) -> None:
    """Index articles: (id, title, text), ascending ids index fastest."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        statement = f"INSERT INTO {TABLE}(rowid, title, text) VALUES (:id, :title, :text)"  # noqa: S608
        values = [{"id": key, "title": title, "text": body} for key, title, body in sorted(rows)]
    else:
        statement = (
            f"INSERT INTO {TABLE}(article_id, words) VALUES (:id,"  # noqa: S608
            " setweight(to_tsvector('defnews', :title), 'A') || to_tsvector('defnews', :text))"
        )
        values = [
            {
                "id": key,
                "title": " ".join(split_words(title[:LONGEST_TITLE])),
                "text": " ".join(split_words(body[:LONGEST_TSVECTOR_TEXT])),
            }
            for key, title, body in rows
        ]
    await connection.execute(text(statement), values)


async def remove(connection: AsyncConnection, article_id: int, title: str, body: str) -> None:
    """Take an article out; the title and text must be those that were indexed."""
    if connection.dialect.name == "sqlite":
        statement = f"INSERT INTO {TABLE}({TABLE}, rowid, title, text) VALUES ('delete', :id, :title, :text)"  # noqa: S608
        await connection.execute(text(statement), {"id": article_id, "title": title, "text": body})
    else:
        await connection.execute(text(f"DELETE FROM {TABLE} WHERE article_id = :id"), {"id": article_id})  # noqa: S608
