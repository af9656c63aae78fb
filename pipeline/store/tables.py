"""The tables: one schema for SQLite and PostgreSQL.

The search index stands beside them (FTS5 or tsvector: `search_index.py`), and is made by the migrations.
Times are UTC (see `types.Moment`); durations end in `_s` and are seconds.
"""

from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text, text

from pipeline.store.types import Flag, Id, Json, Moment, Packed, Real

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _to(table: str, *, cascade: bool = False) -> ForeignKey:
    return ForeignKey(f"{table}.id", ondelete="CASCADE" if cascade else None)


def only(condition: str) -> dict[str, Any]:
    """An index of the rows of which that is true."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),  # daemon, poll, backfill ...
    Column("state", Text, nullable=False),  # running, done, waiting, failed, interrupted
    Column("machine", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("beat_at", Moment, nullable=False),  # silent for 30 s: its claims are free
    Column("ended_at", Moment),
    Column("plan", Json),  # the arguments of a backfill
    Column("cursor", Json),  # how far each of its archives was read
    Column("counts", Json),
    Index(None, "kind"),
    sqlite_strict=True,
)

feeds = Table(
    "feeds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("url", Text, nullable=False, unique=True),
    Column("host", Text, nullable=False),  # of the URL, host:port
    Column("site", Text, nullable=False),  # its registered domain
    Column("title", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("country", Text),
    Column("lang", Text),
    Column("fetch", Text, nullable=False),
    Column("interval_s", Real),
    Column("headers", Json, nullable=False),
    Column("include", Json, nullable=False),
    Column("exclude", Json, nullable=False),
    Column("enabled", Flag, nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("removed_at", Moment),  # a removed feed stays removed
    Column("tags", Json, nullable=False, server_default=text("'[]'")),
    sqlite_strict=True,
)

feed_urls = Table(  # every URL that a feed ever had
    "feed_urls",
    metadata,
    Column("url", Text, primary_key=True),
    Column("feed_id", Id, _to("feeds", cascade=True), nullable=False, index=True),
    Column("since_at", Moment, nullable=False),
    sqlite_strict=True,
)

feed_states = Table(
    "feed_states",
    metadata,
    Column("feed_id", Id, _to("feeds", cascade=True), primary_key=True),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("body_hash", Text),
    Column("next_poll_at", Moment, index=True),  # NULL: never again
    Column("next_poll_reason", Text),
    Column("last_poll_at", Moment),
    Column("last_success_at", Moment),
    Column("failures", Integer, nullable=False),
    Column("reason", Text),
    Column("gone", Flag, nullable=False),
    Column("ttl_s", Real),
    Column("fresh_for_s", Real),
    Column("skip_hours", Json, nullable=False, server_default=text("'[]'")),
    Column("skip_days", Json, nullable=False, server_default=text("'[]'")),
    Column("whole_at", Moment),
    Column("health", Text, nullable=False, server_default="new"),
    Column("seen", Text, nullable=False, server_default=""),  # marks of entries, 10 hex digits each
    Column("newest_at", Moment),
    Column("usual_gap_s", Real),
    Column("moving_to", Text),
    Column("moving_days", Integer, nullable=False, server_default=text("0")),
    Column("rhythm", Json),
    sqlite_strict=True,
)

feed_claims = Table(  # who polls a feed now; apart from its state, whose long row would be written twice a poll
    "feed_claims",
    metadata,
    Column("feed_id", Id, _to("feeds", cascade=True), primary_key=True),
    Column("run_id", Id, _to("runs"), nullable=False, index=True),
    sqlite_strict=True,
)

gaps = Table(  # of which entries of a feed were missed: a poll brought none that the one before held
    "gaps",
    metadata,
    Column("id", Id, primary_key=True),
    Column("feed_id", Id, _to("feeds", cascade=True), nullable=False, index=True),
    Column("since_at", Moment, nullable=False),
    Column("until_at", Moment, nullable=False),
    Column("found_at", Moment, nullable=False),
    Column("run_id", Id, _to("runs")),  # the backfill that looked last for what was missed
    Column("found", Integer),  # articles that it stored
    Column("repaired_at", Moment),  # when an archive was found that goes back to since_at
    sqlite_strict=True,
)

budgets = Table(  # the one price that all polls are weighed by, and how much was spent at it
    "budgets",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1
    Column("price", Real, nullable=False),
    Column("since_at", Moment, nullable=False),
    Column("made", Integer, nullable=False),  # requests since then
    sqlite_strict=True,
)

outages = Table(  # machines that have no network now
    "outages",
    metadata,
    Column("machine", Text, primary_key=True),
    Column("since_at", Moment, nullable=False),
    sqlite_strict=True,
)

hosts = Table(  # the pace, shared by all processes
    "hosts",
    metadata,
    Column("host", Text, primary_key=True),  # host:port
    Column("next_at", Moment, nullable=False),  # nobody asks before
    Column("rest_until", Moment),  # after 429 or 503
    Column("rest_s", Real),  # how long that rest is, or was
    Column("holder", Text, index=True),  # the process that asks it now, machine:pid
    Column("crawl_delay_s", Real),
    Column("robots", Text),
    Column("robots_at", Moment),
    sqlite_strict=True,
)

feed_trusts = Table(  # how far the texts that feeds carry were found to be those of their pages
    "feed_trusts",
    metadata,
    Column("feed_id", Id, _to("feeds", cascade=True), primary_key=True, autoincrement=False),
    Column("agreed", Integer, nullable=False),  # pages in a row
    Column("is_doubted", Flag, nullable=False),  # the last page that was compared said something else
    Column("unchecked", Integer, nullable=False),  # entries since then
    sqlite_strict=True,
)

site_memories = Table(  # what sites repeat in their articles
    "site_memories",
    metadata,
    Column("site", Text, primary_key=True),
    Column("articles", Integer, nullable=False),  # that were learned from
    Column("version", Integer, nullable=False),  # how often what is furniture has changed
    Column("blocks", LargeBinary, nullable=False),  # see `memories.py`
    sqlite_strict=True,
)

articles = Table(
    "articles",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),  # published seconds << 20 | 20 bits of the URL's hash
    Column("canonical_url", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False),  # where it was read
    Column("site", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("authors", Json, nullable=False),
    Column("published_at", Moment, nullable=False, index=True),
    Column("published_from", Text, nullable=False),
    Column("updated_at", Moment),
    Column("lang", Text),
    Column("site_name", Text),
    Column("agency", Text),  # that wrote it (see stages/agencies.py)
    Column("section", Text),  # section and tags are the publisher's
    Column("tags", Json, nullable=False, server_default=text("'[]'")),
    Column("is_teaser", Flag, nullable=False, server_default=text("false")),
    Column("extractor", Text, nullable=False),
    Column("site_memory", Text),  # site@version that told furniture from its text; NULL: nothing was left out
    Column("text_hash", Text, nullable=False, index=True),  # SHA-256 hex of the text
    Column("chars", Integer, nullable=False),
    Column("feed_id", Id, _to("feeds")),  # the feed that brought it first
    Column("archive", Text),  # or the archive
    Column("first_seen_at", Moment, nullable=False),
    Column("stored_at", Moment, nullable=False, index=True),
    Column("revised_at", Moment),
    Column("purged_at", Moment),  # its text is gone (see retention.py)
    Column("label", Text, nullable=False),  # a person's, else the newest verdict's (see `verdicts.settle`)
    Column("score", Real, nullable=False),
    Column("needs_review", Flag, nullable=False),
    Column("facets", Text),  # the tokens that it is indexed with; NULL: it is not in the index
    Index(None, "label", "id"),
    Index(None, "site", "id"),
    Index(None, "feed_id", "id"),
    Index(
        "ix_articles_review",
        "id",
        sqlite_where=text("needs_review IS 1"),
        postgresql_where=text("needs_review IS true"),
    ),
    sqlite_strict=True,
)

texts = Table(
    "texts",
    metadata,
    Column("article_id", Id, _to("articles", cascade=True), primary_key=True),
    Column("body", Packed, nullable=False),
    sqlite_strict=True,
)

marks = Table(  # of texts: near-duplicates share one (see stages/dedup.py)
    "marks",
    metadata,
    Column("mark", Id, primary_key=True, autoincrement=False),
    Column("article_id", Id, primary_key=True, autoincrement=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

reprints = Table(  # entries whose pages repeat the text of an article that is stored already, and what is said there
    "reprints",
    metadata,
    Column("entry_id", Id, _to("entries", cascade=True), primary_key=True, autoincrement=False),
    Column("url", Text, nullable=False),  # canonical
    Column("outlet", Text),  # what the site calls itself
    Column("title", Text, nullable=False),
    Column("agency", Text),  # that it is credited to
    Column("shared", Real, nullable=False),  # share of the shorter text that the longer has, 0 to 1
    sqlite_strict=True,
)

revisions = Table(  # what an article said before it was changed
    "revisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("article_id", Id, _to("articles", cascade=True), nullable=False, index=True),
    Column("until_at", Moment, nullable=False),  # when we saw what it says next
    Column("title", Text, nullable=False),
    Column("body", Packed, nullable=False),
    sqlite_strict=True,
)

verdicts = Table(  # kept for ever; the newest one counts
    "verdicts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("article_id", Id, _to("articles", cascade=True), nullable=False, index=True),
    Column("classifier", Text, nullable=False),
    Column("tagger", Text),
    Column("label", Text, nullable=False),
    Column("score", Real, nullable=False),
    Column("threshold", Real, nullable=False),
    Column("needs_review", Flag, nullable=False),
    Column("topics", Json, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("text_hash", Text, nullable=False),  # of the text that was judged
    Column("site_memory", Text),  # of that text
    Column("created_at", Moment, nullable=False),
    Column("run_id", Id, _to("runs")),
    Column("base", Real, nullable=False, server_default=text("0")),
    Column("countries", Json, nullable=False, server_default=text("'[]'")),
    Column("entities", Json, nullable=False, server_default=text("'[]'")),  # [{name, kind}]
    sqlite_strict=True,
)

labels = Table(  # a person's word; kept for ever, the newest one counts
    "labels",
    metadata,
    Column("id", Id, primary_key=True),
    Column("article_id", Id, _to("articles", cascade=True), nullable=False, index=True),
    Column("label", Text, nullable=False),  # yes, no, borderline: the verdict's, but nobody needs to look again
    Column("who", Text, nullable=False),
    Column("text_hash", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    sqlite_strict=True,
)

urls = Table(  # every URL ever seen, and the article that it led to
    "urls",
    metadata,
    Column("id", Id, primary_key=True),
    Column("url", Text, nullable=False, unique=True),  # canonical
    Column("article_id", Id, _to("articles"), index=True),
    Column("first_seen_at", Moment, nullable=False),
    sqlite_strict=True,
)

entries = Table(
    "entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("feed_id", Id, _to("feeds")),
    Column("key", Text, nullable=False),  # the feed's id of it, else its canonical link, else by what it says
    Column("url_id", Id, _to("urls"), index=True),  # NULL: it has no link
    Column("url", Text),  # as given, made absolute
    Column("host", Text, nullable=False),  # that its page is asked from; "" when the feed is enough
    Column("title", Text),
    Column("published_at", Moment),
    Column("updated_at", Moment),
    Column("lang", Text),
    Column("archive", Text),  # that listed it; NULL: a feed did
    Column("payload", Packed(level=1)),  # JSON of summary, content, authors, tags, enclosures; NULL once done
    Column("state", Text, nullable=False),  # waiting, claimed, done
    Column("priority", Integer, nullable=False),  # 1 live, 0 backfill
    Column("newest_at", Moment, nullable=False),  # published_at, else seen_at: newest goes first
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text),  # of the last failure, or of the drop
    Column("detail", Text),
    Column("outcome", Text),  # stored, duplicate, dropped
    Column("revision", Integer, nullable=False),  # how often the feed announced it anew
    Column("run_id", Id, _to("runs")),  # who claims it now
    Column("origin_run_id", Id, _to("runs"), index=True),  # the backfill that found it
    Column("seen_at", Moment, nullable=False),
    Column("done_at", Moment),
    Index("uq_entries_feed_id_key", "feed_id", "key", unique=True, **only("origin_run_id IS NULL")),
    Index("uq_entries_origin_run_id_key", "origin_run_id", "key", unique=True, **only("origin_run_id IS NOT NULL")),
    Index("ix_entries_waiting", "host", "priority", "newest_at", **only("state = 'waiting'")),
    Index("ix_entries_claimed", "run_id", **only("state = 'claimed'")),
    sqlite_strict=True,
)

article_entries = Table(  # where an article appeared
    "article_entries",
    metadata,
    Column("entry_id", Id, _to("entries", cascade=True), primary_key=True, autoincrement=False),
    Column("article_id", Id, _to("articles", cascade=True), nullable=False, index=True),
    sqlite_strict=True,
)

pages = Table(  # where the bytes are kept that an entry's page had when it was fetched last
    "pages",
    metadata,
    Column("entry_id", Id, _to("entries", cascade=True), primary_key=True, autoincrement=False),
    Column("file", Text, nullable=False, index=True),  # its name begins with the day
    Column("offset", Id, nullable=False),
    sqlite_strict=True,
)

events = Table(  # the audit trail
    "events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("kind", Text, nullable=False),
    Column("feed_id", Id),
    Column("entry_id", Id),
    Column("article_id", Id),
    Column("run_id", Id),
    Column("detail", Json),
    Index(None, "feed_id"),
    Index(None, "entry_id"),
    Index(None, "article_id"),
    sqlite_strict=True,
)
