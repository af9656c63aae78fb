"""The query language: text -> Asked (`parse`), its fields rewritten (`rewrite`), why a text was found (`snippet`)."""

from pipeline.query.asked import All, Any, Asked, Filters, Not, Query, Span, Term, Words, positive
from pipeline.query.parse import parse
from pipeline.query.snippet import snippet
from pipeline.query.words import sought

__all__ = [
    "All",
    "Any",
    "Asked",
    "Filters",
    "Not",
    "Query",
    "Span",
    "Term",
    "Words",
    "parse",
    "positive",
    "snippet",
    "sought",
]
