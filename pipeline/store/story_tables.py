"""The tables of stories: which reports are of one event, and by which keys new ones find them."""

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, text

from pipeline.store.tables import _to, metadata
from pipeline.store.types import Flag, Id, Moment

stories = Table(  # of two reports or more: what is listed of them, counted anew whenever a report joins or leaves
    "stories",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),  # of the article that opened it, or the next free one
    Column("central_id", Id, _to("articles", cascade=True), nullable=False, index=True),  # whose title is the story's
    Column("first_at", Moment, nullable=False),  # published
    Column("last_at", Moment, nullable=False, index=True),
    Column("size", Integer, nullable=False, index=True),  # reports
    Column("outlets", Integer, nullable=False),  # sites
    sqlite_strict=True,
)

story_members = Table(  # every report is in one story; most are alone in it
    "story_members",
    metadata,
    Column("article_id", Id, _to("articles", cascade=True), primary_key=True, autoincrement=False),
    Column("story_id", Id, nullable=False, index=True),
    Column("published_at", Moment, nullable=False),  # when it was sketched
    Column("sketch", LargeBinary, nullable=False),  # see stages/story
    Column("is_pinned", Flag, nullable=False),  # a person put it there
    Index(
        "ix_story_members_pinned",
        "story_id",
        sqlite_where=text("is_pinned IS 1"),
        postgresql_where=text("is_pinned IS true"),
    ),
    sqlite_strict=True,
)

story_keys = Table(  # under which reports are found that may be of the same event
    "story_keys",
    metadata,
    Column("key", Id, primary_key=True, autoincrement=False),
    Column("article_id", Id, primary_key=True, autoincrement=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
