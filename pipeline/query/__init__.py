"""The query language: text -> Asked (`parse`), and the piece of a text that shows why it was found (`snippet`)."""

from pipeline.query.asked import All, Any, Asked, Filters, Not, Query, Span, Term, Words, positive
from pipeline.query.parse import parse
from pipeline.query.snippet import snippet

__all__ = ["All", "Any", "Asked", "Filters", "Not", "Query", "Span", "Term", "Words", "parse", "positive", "snippet"]
