"""The table of subscriptions at hubs."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from pipeline.store.tables import metadata, only
from pipeline.store.types import Id, Json, Moment

subscriptions = Table(  # what hubs are asked to push; a row goes when its hub was told to stop
    "subscriptions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("feed_id", Id, ForeignKey("feeds.id", ondelete="CASCADE"), nullable=False),
    Column("hub", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("others", Json, nullable=False, server_default=text("'[]'")),  # hubs of the feed, the next ones in line
    Column("address", Text, nullable=False),  # of the callback, its token included
    Column("token", Text, nullable=False, unique=True),
    Column("secret", Text, nullable=False),
    Column("state", Text, nullable=False),  # waiting, active, denied, leaving
    Column("due_at", Moment, nullable=False, index=True),  # when the hub is asked next
    Column("attempts", Integer, nullable=False),
    Column("lease_until", Moment),
    Column("pushed_at", Moment),
    Column("missed_at", Moment),
    Column("usual_poll_at", Moment),
    Column("reason", Text),
    Index("ix_subscriptions_wanted", "feed_id", unique=True, **only("state <> 'leaving'")),
    Index(None, "feed_id"),
    sqlite_strict=True,
)
