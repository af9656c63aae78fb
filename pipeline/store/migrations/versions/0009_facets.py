"""The search index holds authors, facets and pairs of characters: it is made anew from the stored texts."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
import structlog
from alembic import op

from pipeline.store import types
from pipeline.store.search_index import INSERT, facets_of, tsvector_values

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BATCH = 500  # articles
TOLD = 10_000  # articles between two lines of the log
log = structlog.get_logger()
SQLITE_INDEX = (
    "CREATE VIEW search_texts AS SELECT a.id, paired(a.title) AS title, paired(unpack(t.body)) AS text,"
    " paired(a.authors) AS authors, a.facets FROM articles a JOIN texts t ON t.article_id = a.id",
    "CREATE VIRTUAL TABLE search_index USING fts5(title, text, authors, facets, content='search_texts',"
    " content_rowid='id', tokenize='porter unicode61 remove_diacritics 2')",
)
POSTGRESQL_INDEX = (
    "CREATE TABLE search_index (article_id bigint PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,"
    " words tsvector NOT NULL, facets text[] NOT NULL)",
    "ALTER TABLE search_index ALTER words SET STORAGE EXTERNAL",  # a walk reads facets only, and unpacks no words
)
ARTICLES = sa.table(
    "articles",
    sa.column("id", types.Id),
    sa.column("title", sa.Text),
    sa.column("authors", types.Json),
    sa.column("published_at", types.Moment),
    sa.column("lang", sa.Text),
    sa.column("site", sa.Text),
    sa.column("feed_id", types.Id),
    sa.column("label", sa.Text),
    sa.column("needs_review", types.Flag),
    sa.column("is_teaser", types.Flag),
    sa.column("facets", sa.Text),
)
VERDICTS = sa.table(
    "verdicts",
    sa.column("id", types.Id),
    sa.column("article_id", types.Id),
    *(sa.column(name, types.Json) for name in ("topics", "countries", "entities")),
)
TEXTS = sa.table("texts", sa.column("article_id", types.Id), sa.column("body", types.Packed))


def upgrade() -> None:
    """One version up; takes about a millisecond an article."""
    is_sqlite = op.get_context().dialect.name == "sqlite"
    op.execute("DROP TABLE search_index")
    if is_sqlite:
        op.execute("DROP VIEW search_texts")
    op.drop_table("tags")
    op.add_column("articles", sa.Column("facets", sa.Text()))
    for statement in SQLITE_INDEX if is_sqlite else POSTGRESQL_INDEX:
        op.execute(statement)
    done = 0
    for rows in _batches():
        _index([dict(row._mapping) for row in rows], is_sqlite=is_sqlite)
        if (done + len(rows)) // TOLD > done // TOLD:
            log.info("articles indexed anew", articles=done + len(rows))
        done += len(rows)
    if not is_sqlite:
        op.execute("CREATE INDEX ix_search_index_words ON search_index USING gin (words, facets)")


def _batches() -> Iterator[list[Any]]:
    given = VERDICTS.alias()
    newest = sa.select(sa.func.max(given.c.id)).where(given.c.article_id == ARTICLES.c.id).correlate(ARTICLES)
    query = (
        sa.select(ARTICLES, VERDICTS.c.topics, VERDICTS.c.countries, VERDICTS.c.entities, TEXTS.c.body)
        .select_from(ARTICLES)
        .join(VERDICTS, VERDICTS.c.id == newest.scalar_subquery())
        .join(TEXTS, TEXTS.c.article_id == ARTICLES.c.id)
        .order_by(ARTICLES.c.id)
        .limit(BATCH)
    )
    last = -1
    while rows := list(op.get_bind().execute(query.where(ARTICLES.c.id > last))):
        yield rows
        last = rows[-1].id


def _index(rows: list[dict[str, Any]], *, is_sqlite: bool) -> None:
    bind = op.get_bind()
    for row in rows:
        row["facets"] = facets_of(row)
    one = sa.update(ARTICLES).where(ARTICLES.c.id == sa.bindparam("key")).values(facets=sa.bindparam("tokens"))
    bind.execute(one, [{"key": row["id"], "tokens": row["facets"]} for row in rows])
    if is_sqlite:
        bind.execute(
            sa.text(
                "INSERT INTO search_index(rowid, title, text, authors, facets)"
                " SELECT id, title, text, authors, facets FROM search_texts"
                " WHERE id BETWEEN :first AND :last ORDER BY id"
            ),
            {"first": rows[0]["id"], "last": rows[-1]["id"]},
        )
    else:
        bind.execute(sa.text(INSERT), [tsvector_values(row) for row in rows])


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
