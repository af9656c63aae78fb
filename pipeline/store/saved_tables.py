"""The tables of saved searches and their alerts."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from pipeline.store.tables import metadata, only
from pipeline.store.types import Id, Json, Moment

saved_searches = Table(
    "saved_searches",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("words", Text, nullable=False),  # as typed, read anew each time: 7d moves on
    Column("filters", Json, nullable=False),  # the options beside them, as typed
    Column("webhook", Text),
    Column("email", Text),
    Column("slack", Text),
    Column("created_at", Moment, nullable=False),
    Column("since_at", Moment, nullable=False),  # alerts of what was stored later
    Column("through_at", Moment, nullable=False),  # looked through up to here
    Column("paused_at", Moment),
    sqlite_strict=True,
)

alerts = Table(  # what is or was to be sent: some articles by one channel
    "alerts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("saved_id", Id, ForeignKey("saved_searches.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("channel", Text, nullable=False),  # webhook, email, slack
    Column("articles", Json, nullable=False),  # ids, newest first
    Column("state", Text, nullable=False),  # waiting, sent, gave-up
    Column("reason", Text),  # of the last failure
    Column("attempts", Integer, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),  # while it is being sent: when another may take it up
    Column("ended_at", Moment),
    Index("ix_alerts_waiting", "due_at", **only("state = 'waiting'")),
    sqlite_strict=True,
)

alert_hits = Table(  # articles lately found by a saved search: none is told of twice
    "alert_hits",
    metadata,
    Column("saved_id", Id, ForeignKey("saved_searches.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("article_id", Id, primary_key=True, autoincrement=False),
    Column("found_at", Moment, nullable=False),
    sqlite_strict=True,
)
