"""Query -> what FTS5 and tsquery understand: words of letters and digits, and facets' tokens, each in quotes."""

from collections.abc import Iterable, Iterator

from pipeline.query import All, Any, Asked, Filters, Not, Query, Span, Term, Words, facets, sought

_WEIGHTS = {"title": "A", "authors": "B", None: ""}  # of the words in a tsvector


def wanted(query: Query) -> tuple[tuple[str, ...], ...]:
    """Facets' tokens: of each tuple, an article that is found has one."""
    return tuple(tokens for passed in (query.filters, query.asked.filters) for tokens in _tokens(passed))


def unwanted(asked: Asked) -> tuple[str, ...]:
    """Facets' tokens that no article has that is found."""
    return tuple(token for tokens in facets.alternatives(asked.without) for token in tokens)


def _tokens(passed: Filters) -> Iterator[tuple[str, ...]]:
    yield from facets.alternatives(passed)
    spans = [facets.of_time(span) for span in passed.published]
    if spans and None not in spans:
        yield tuple(token for tokens in spans for token in tokens or ())
    if tokens := facets.of_time(Span(passed.since, passed.until)):
        yield tokens


def to_fts5(query: Query) -> str:
    """The words and facets of a query in FTS5's language."""
    parts = [_fts5(query.asked.terms)] if query.asked.terms else []
    parts += [_one_of(tokens) for tokens in wanted(query)]
    all_of = " AND ".join(parts) or _one_of((facets.EVERY,))
    excluded = unwanted(query.asked)
    return f"({all_of}) NOT {_one_of(excluded)}" if excluded else all_of


def _one_of(tokens: Iterable[str]) -> str:
    return "(" + " OR ".join(f'"{token}"' for token in tokens) + ")"


def _fts5(term: Term) -> str:
    if isinstance(term, Words):
        words, is_prefix = sought(term.words, is_prefix=term.is_prefix)
        column = f"{{{term.column}}} : " if term.column else ""
        return f'({column}"{" ".join(words)}"{"*" if is_prefix else ""})'
    if isinstance(term, Any):
        return "(" + " OR ".join(map(_fts5, term.terms)) + ")"
    parts = term.parts if isinstance(term, All) else (term,)
    held = " AND ".join(_fts5(part) for part in parts if not isinstance(part, Not)) or _one_of((facets.EVERY,))
    excluded = " OR ".join(_fts5(part.term) for part in parts if isinstance(part, Not))
    return f"(({held}) NOT ({excluded}))" if excluded else f"({held})"


def to_tsquery(term: Term) -> str:
    """Words in tsquery's language."""
    if isinstance(term, Words):
        return _adjacent(term)
    if isinstance(term, Not):
        return f"!{to_tsquery(term.term)}"
    parts = term.terms if isinstance(term, Any) else term.parts
    return "(" + (" | " if isinstance(term, Any) else " & ").join(map(to_tsquery, parts)) + ")"


def _adjacent(term: Words) -> str:
    words, is_prefix = sought(term.words, is_prefix=term.is_prefix)
    weight = _WEIGHTS[term.column]
    options = [weight] * (len(words) - 1) + [f"*{weight}" if is_prefix else weight]
    pieces = (f"'{word}'" + (f":{option}" if option else "") for word, option in zip(words, options, strict=True))
    return "(" + " <-> ".join(pieces) + ")"
