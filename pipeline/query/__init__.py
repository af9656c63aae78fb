"""The query language: text -> Query (`parse`), and the piece of a text that shows why it was found (`snippet`)."""

from pipeline.query.parse import All, Any, Filters, Not, Query, Words, parse
from pipeline.query.snippet import snippet

__all__ = ["All", "Any", "Filters", "Not", "Query", "Words", "parse", "snippet"]
