"""The first schema: feeds, entries, articles, verdicts, the search index."""

import sqlalchemy as sa
from alembic import op

from pipeline.store import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQLITE_INDEX = (
    "CREATE VIEW search_texts AS"
    " SELECT a.id, a.title, unpack(t.body) AS text FROM articles a JOIN texts t ON t.article_id = a.id",
    "CREATE VIRTUAL TABLE search_index USING fts5(title, text, content='search_texts', content_rowid='id',"
    " tokenize='porter unicode61 remove_diacritics 2')",
)
POSTGRESQL_INDEX = (
    "CREATE TEXT SEARCH DICTIONARY defnews_stem (TEMPLATE = snowball, LANGUAGE = english)",  # no stop words, as FTS5
    "CREATE TEXT SEARCH CONFIGURATION defnews (COPY = simple)",
    "ALTER TEXT SEARCH CONFIGURATION defnews ALTER MAPPING FOR asciiword WITH defnews_stem",
    "CREATE TABLE search_index (article_id bigint PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,"
    " words tsvector NOT NULL)",
    "CREATE INDEX ix_search_index_words ON search_index USING gin (words)",
)


def upgrade() -> None:
    """One version up."""
    op.create_table(
        "events",
        sa.Column("id", types.Id, nullable=False),
        sa.Column("at", types.Moment(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("feed_id", types.Id, nullable=True),
        sa.Column("entry_id", types.Id, nullable=True),
        sa.Column("article_id", types.Id, nullable=True),
        sa.Column("run_id", types.Id, nullable=True),
        sa.Column("detail", types.Json(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_events_article_id"), ["article_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_events_entry_id"), ["entry_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_events_feed_id"), ["feed_id"], unique=False)

    op.create_table(
        "feeds",
        sa.Column("id", types.Id, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("lang", sa.Text(), nullable=True),
        sa.Column("fetch", sa.Text(), nullable=False),
        sa.Column("interval_s", types.Real, nullable=True),
        sa.Column("headers", types.Json(), nullable=False),
        sa.Column("include", types.Json(), nullable=False),
        sa.Column("exclude", types.Json(), nullable=False),
        sa.Column("enabled", types.Flag(), nullable=False),
        sa.Column("added_at", types.Moment(), nullable=False),
        sa.Column("removed_at", types.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint("url", name=op.f("uq_feeds_url")),
        sqlite_strict=True,
    )
    op.create_table(
        "hosts",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("next_at", types.Moment(), nullable=False),
        sa.Column("rest_until", types.Moment(), nullable=True),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("crawl_delay_s", types.Real, nullable=True),
        sa.Column("robots", sa.Text(), nullable=True),
        sa.Column("robots_at", types.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_hosts")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("hosts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hosts_holder"), ["holder"], unique=False)

    op.create_table(
        "runs",
        sa.Column("id", types.Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", types.Moment(), nullable=False),
        sa.Column("beat_at", types.Moment(), nullable=False),
        sa.Column("ended_at", types.Moment(), nullable=True),
        sa.Column("plan", types.Json(), nullable=True),
        sa.Column("cursor", types.Json(), nullable=True),
        sa.Column("counts", types.Json(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_runs_kind"), ["kind"], unique=False)

    op.create_table(
        "articles",
        sa.Column("id", types.Id, autoincrement=False, nullable=False),
        sa.Column("canonical_url", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("authors", types.Json(), nullable=False),
        sa.Column("published_at", types.Moment(), nullable=False),
        sa.Column("published_from", sa.Text(), nullable=False),
        sa.Column("updated_at", types.Moment(), nullable=True),
        sa.Column("lang", sa.Text(), nullable=True),
        sa.Column("site_name", sa.Text(), nullable=True),
        sa.Column("extractor", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.Text(), nullable=False),
        sa.Column("chars", sa.Integer(), nullable=False),
        sa.Column("feed_id", types.Id, nullable=True),
        sa.Column("archive", sa.Text(), nullable=True),
        sa.Column("first_seen_at", types.Moment(), nullable=False),
        sa.Column("stored_at", types.Moment(), nullable=False),
        sa.Column("revised_at", types.Moment(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("score", types.Real, nullable=False),
        sa.Column("needs_review", types.Flag(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_articles_feed_id_feeds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles")),
        sa.UniqueConstraint("canonical_url", name=op.f("uq_articles_canonical_url")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_articles_feed_id_id"), ["feed_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_articles_label_id"), ["label", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_articles_published_at"), ["published_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_articles_site_id"), ["site", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_articles_text_hash"), ["text_hash"], unique=False)

    op.create_table(
        "feed_states",
        sa.Column("feed_id", types.Id, nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("body_hash", sa.Text(), nullable=True),
        sa.Column("next_poll_at", types.Moment(), nullable=True),
        sa.Column("next_poll_reason", sa.Text(), nullable=True),
        sa.Column("last_poll_at", types.Moment(), nullable=True),
        sa.Column("last_success_at", types.Moment(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("gone", types.Flag(), nullable=False),
        sa.Column("ttl_s", types.Real, nullable=True),
        sa.Column("run_id", types.Id, nullable=True),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name=op.f("fk_feed_states_feed_id_feeds"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_feed_states_run_id_runs")),
        sa.PrimaryKeyConstraint("feed_id", name=op.f("pk_feed_states")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("feed_states", schema=None) as batch_op:
        batch_op.create_index(
            "ix_feed_states_claimed",
            ["run_id"],
            unique=False,
            sqlite_where=sa.text("run_id IS NOT NULL"),
            postgresql_where=sa.text("run_id IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_feed_states_next_poll_at"), ["next_poll_at"], unique=False)

    op.create_table(
        "feed_urls",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("feed_id", types.Id, nullable=False),
        sa.Column("since_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_feed_urls_feed_id_feeds"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_feed_urls")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("feed_urls", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_feed_urls_feed_id"), ["feed_id"], unique=False)

    op.create_table(
        "labels",
        sa.Column("id", types.Id, nullable=False),
        sa.Column("article_id", types.Id, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.Text(), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_labels_article_id_articles"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labels")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_labels_article_id"), ["article_id"], unique=False)

    op.create_table(
        "tags",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("article_id", types.Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_tags_article_id_articles"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("kind", "name", "article_id", name=op.f("pk_tags")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("tags", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tags_article_id"), ["article_id"], unique=False)

    op.create_table(
        "texts",
        sa.Column("article_id", types.Id, nullable=False),
        sa.Column("body", types.Packed(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_texts_article_id_articles"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_texts")),
        sqlite_strict=True,
    )
    op.create_table(
        "urls",
        sa.Column("id", types.Id, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("article_id", types.Id, nullable=True),
        sa.Column("first_seen_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_urls_article_id_articles")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urls")),
        sa.UniqueConstraint("url", name=op.f("uq_urls_url")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("urls", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_urls_article_id"), ["article_id"], unique=False)

    op.create_table(
        "verdicts",
        sa.Column("id", types.Id, nullable=False),
        sa.Column("article_id", types.Id, nullable=False),
        sa.Column("classifier", sa.Text(), nullable=False),
        sa.Column("tagger", sa.Text(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("score", types.Real, nullable=False),
        sa.Column("threshold", types.Real, nullable=False),
        sa.Column("needs_review", types.Flag(), nullable=False),
        sa.Column("topics", types.Json(), nullable=False),
        sa.Column("evidence", types.Json(), nullable=False),
        sa.Column("text_hash", sa.Text(), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("run_id", types.Id, nullable=True),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_verdicts_article_id_articles"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_verdicts_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdicts")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("verdicts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verdicts_article_id"), ["article_id"], unique=False)

    op.create_table(
        "entries",
        sa.Column("id", types.Id, nullable=False),
        sa.Column("feed_id", types.Id, nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("url_id", types.Id, nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("published_at", types.Moment(), nullable=True),
        sa.Column("updated_at", types.Moment(), nullable=True),
        sa.Column("lang", sa.Text(), nullable=True),
        sa.Column("archive", sa.Text(), nullable=True),
        sa.Column("payload", types.Packed(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("newest_at", types.Moment(), nullable=False),
        sa.Column("due_at", types.Moment(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("run_id", types.Id, nullable=True),
        sa.Column("origin_run_id", types.Id, nullable=True),
        sa.Column("seen_at", types.Moment(), nullable=False),
        sa.Column("done_at", types.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_entries_feed_id_feeds")),
        sa.ForeignKeyConstraint(["origin_run_id"], ["runs.id"], name=op.f("fk_entries_origin_run_id_runs")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_entries_run_id_runs")),
        sa.ForeignKeyConstraint(["url_id"], ["urls.id"], name=op.f("fk_entries_url_id_urls")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_entries_claimed",
            ["run_id"],
            unique=False,
            sqlite_where=sa.text("state = 'claimed'"),
            postgresql_where=sa.text("state = 'claimed'"),
        )
        batch_op.create_index(batch_op.f("ix_entries_origin_run_id"), ["origin_run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_entries_url_id"), ["url_id"], unique=False)
        batch_op.create_index(
            "ix_entries_waiting",
            ["host", "priority", "newest_at"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index(
            "uq_entries_feed_id_key",
            ["feed_id", "key"],
            unique=True,
            sqlite_where=sa.text("origin_run_id IS NULL"),
            postgresql_where=sa.text("origin_run_id IS NULL"),
        )
        batch_op.create_index(
            "uq_entries_origin_run_id_key",
            ["origin_run_id", "key"],
            unique=True,
            sqlite_where=sa.text("origin_run_id IS NOT NULL"),
            postgresql_where=sa.text("origin_run_id IS NOT NULL"),
        )

    op.create_table(
        "article_entries",
        sa.Column("entry_id", types.Id, autoincrement=False, nullable=False),
        sa.Column("article_id", types.Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_article_entries_article_id_articles"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name=op.f("fk_article_entries_entry_id_entries"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_article_entries")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("article_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_entries_article_id"), ["article_id"], unique=False)

    for statement in SQLITE_INDEX if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_INDEX:
        op.execute(statement)


def downgrade() -> None:
    """Not offered: restore the copy that `defnews db backup` made."""
    raise NotImplementedError("restore a backup instead")
