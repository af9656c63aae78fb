"""The text of a query -> the same with other values of a field: what a form beside the words writes into them."""

import re
from typing import TypeAlias

from pipeline.query.parse import JOINING, QUOTES, TOKEN
from pipeline.query.words import split_words

Tokens: TypeAlias = list[re.Match[str]]
_PLAIN = re.compile(r"[^\s\"()]+")
_NO_QUOTES = dict.fromkeys((*QUOTES, ord('"')), " ")


def values(text: str, name: str) -> tuple[str, ...]:
    """What the text wants of a field, as it stands there; what it excludes is not among it."""
    return tuple(value for token in _tokens(text) if (value := _value(token, name)))


def with_value(text: str, name: str, value: str) -> str:
    """The text with this value of a field and no other; with none where it is blank. What is excluded stays so."""
    tokens = _tokens(text)
    places = [n for n, token in enumerate(tokens) if _value(token, name) is not None]
    written = _written(name, value)
    if not places:
        return f"{_closed(text)} {written}".strip() if written else text
    for n in reversed(places[1:] if written else places):
        text = _without(text, tokens, n)
    if written:
        first = tokens[places[0]]
        text = text[: first.start()] + written + text[first.end() :]
    return text.strip() if split_words(text) else ""


def with_another(text: str, name: str, value: str) -> str:
    """The text with one more value of a field, behind those that it has."""
    return f"{_closed(text)} {_written(name, value)}".strip()


def can_say(name: str, value: str) -> bool:
    """Whether a field can have that value: not a blank one, nor one with quotation marks."""
    return values(_written(name, value), name) == (value,)


def _tokens(text: str) -> Tokens:
    return list(TOKEN.finditer(text.translate(QUOTES)))


def _value(token: re.Match[str], name: str) -> str | None:
    """The value of a field that is wanted, "" where it has none yet; None: the token is something else."""
    if token["minus"]:
        return None
    if (token["field"] or "").lower() == name:
        return str(token["value"] or token["quoted"] or "")
    return "" if (token["word"] or "").lower() == f"{name}:" else None


def _written(name: str, value: str) -> str:
    value = " ".join(value.translate(_NO_QUOTES).split())
    return value and f"{name}:" + (value if _PLAIN.fullmatch(value) else f'"{value}"')


def _without(text: str, tokens: Tokens, n: int) -> str:
    """The text without a token, the brackets that hold it alone, and the AND or OR that joins it to others."""
    first, last = n, n
    while _is(tokens, first - 1, "open") and _is(tokens, last + 1, "close"):
        first, last = first - 1, last + 1
    if _joins(tokens, first - 1):
        first -= 1
    elif _joins(tokens, last + 1):
        last += 1
    before, after = text[: tokens[first].start()].rstrip(), text[tokens[last].end() :].lstrip()
    del tokens[first : last + 1]
    return before + ("" if before.endswith("(") or after.startswith(")") else " ") + after


def _is(tokens: Tokens, n: int, kind: str) -> bool:
    return 0 <= n < len(tokens) and bool(tokens[n][kind]) and not tokens[n]["minus"]


def _joins(tokens: Tokens, n: int) -> bool:
    return 0 <= n < len(tokens) and tokens[n]["word"] in JOINING and not tokens[n]["minus"]


def _closed(text: str) -> str:
    """The text, its last phrase and groups ended, so that something can stand behind it."""
    depth = 0
    for token in _tokens(text):
        depth += 1 if token["open"] else -1 if token["close"] and depth else 0
    closed = f'{text}"' if text.translate(QUOTES).count('"') % 2 else text.rstrip()
    return f"{closed} {')' * depth}" if depth else closed  # a(b) would be one word
