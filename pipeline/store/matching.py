"""Term -> what FTS5 and tsquery understand: every word stands in quotes and holds only letters and digits."""

from pipeline.errors import UsageError
from pipeline.query import All, Any, Not, Term, Words

_WEIGHTS = {"title": "A"}  # of the tsvector's words


def to_fts5(term: Term) -> str:
    """The term in FTS5's language.

    Raises:
        UsageError: a part of it only excludes.
    """
    if isinstance(term, Words):
        column = f"{{{term.column}}} : " if term.column else ""
        return f'({column}"{" ".join(term.words)}"{"*" if term.is_prefix else ""})'
    if isinstance(term, Any):
        return "(" + " OR ".join(map(to_fts5, term.terms)) + ")"
    parts = term.parts if isinstance(term, All) else (term,)
    wanted = " AND ".join(to_fts5(part) for part in parts if not isinstance(part, Not))
    if not wanted:
        raise UsageError("query: it needs at least one word without a minus")
    unwanted = " OR ".join(to_fts5(part.term) for part in parts if isinstance(part, Not))
    return f"(({wanted}) NOT ({unwanted}))" if unwanted else f"({wanted})"


def to_tsquery(term: Term) -> str:
    """The term in tsquery's language."""
    if isinstance(term, Words):
        return _adjacent(term)
    if isinstance(term, Not):
        return f"!{to_tsquery(term.term)}"
    parts = term.terms if isinstance(term, Any) else term.parts
    return "(" + (" | " if isinstance(term, Any) else " & ").join(map(to_tsquery, parts)) + ")"


def _adjacent(term: Words) -> str:
    weight = _WEIGHTS[term.column] if term.column else ""
    options = [f"*{weight}" if term.is_prefix and word is term.words[-1] else weight for word in term.words]
    pieces = (f"'{word}'" + (f":{option}" if option else "") for word, option in zip(term.words, options, strict=True))
    return "(" + " <-> ".join(pieces) + ")"
