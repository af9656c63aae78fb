"""Text -> Asked: words, "phrases", OR, -not, prefix*, (groups), field:value; what stands side by side must all hold.

A field is a filter of the whole query; several values of one are alternatives: country:KR country:JP.
`title:` and `author:` are words, looked for there only. Nothing of the text reaches a database but words made of
letters and digits and the values that `fields` has read, so no input can become its syntax.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any as Anything

from pipeline.errors import UsageError
from pipeline.query.asked import All, Any, Asked, Filters, Not, Term, Words
from pipeline.query.fields import COLUMNS, FIELDS
from pipeline.query.words import split_words

DEEPEST = 20  # groups within groups
MOST = 1_000  # words, phrases and fields
JOINING = ("AND", "OR")
QUOTES = str.maketrans("“”„", '"""')  # as some keyboards write them
_RUN = r"(?:[^\s\"()]|(?<=\w)\([^\s\"()]*\))+"  # parentheses within a word belong to it: F-16(C)
TOKEN = re.compile(
    rf'(?P<minus>-*)(?:(?P<open>\()|(?P<field>[A-Za-z_]+):(?!//)(?:"(?P<quoted>[^"]*)"?|(?P<value>{_RUN}))'
    rf'|"(?P<phrase>[^"]*)"?|(?P<word>{_RUN}))|(?P<close>\))'
)


@dataclass(frozen=True, slots=True)
class _Filter:
    """A field's value, until it goes to the filters."""

    field: str
    value: Anything
    column: int
    is_excluded: bool


_Part = Term | _Filter


def parse(text: str, now: datetime) -> Asked:
    """Read a query.

    Args:
        text: What a user typed.
        now: What ages such as 7d count from.

    Raises:
        UsageError: there is no word and no field in it, AND or OR stands at an end, a field is unknown, has a value
            that cannot be, or stands where only words can; says at which column.
    """
    parts = _Reading(text.translate(QUOTES), now).group()
    if text.strip() and not parts:
        raise _wrong(1, "it needs at least one word or field")
    terms = [part for part in parts if not isinstance(part, _Filter)]
    filters = [part for part in parts if isinstance(part, _Filter)]
    return Asked(
        _joined(terms) if terms else None,
        _filters(part for part in filters if not part.is_excluded),
        _filters(part for part in filters if part.is_excluded),
    )


class _Reading:
    """A query that is being read, from left to right."""

    def __init__(self, text: str, now: datetime) -> None:
        self._tokens = TOKEN.finditer(text)
        self._now = now
        self._count = 0

    def group(self, depth: int = 0) -> list[_Part]:
        """The parts up to the end of this group, or of the text."""
        operands: list[list[_Part]] = []
        join: re.Match[str] | None = None  # the AND or OR that waits for its right side
        for token in self._tokens:
            if token["close"] and depth:
                break
            if token["word"] in JOINING and not token["minus"]:
                join = _join(token, can_follow=bool(operands) and join is None)
            elif operand := self._operand(token, depth):
                if join and join["word"] == "OR":
                    operand = _either(operands.pop(), operand, _column(token))
                operands.append(operand)
                join = None
        if join:
            raise _wrong(_column(join), f"{join['word']} needs a word on its right")
        return [part for operand in operands for part in operand]

    def _operand(self, token: re.Match[str], depth: int) -> list[_Part]:
        """What a token begins: a group, a field, a phrase or a word; nothing for punctuation."""
        self._count += 1
        if self._count > MOST:
            raise _wrong(_column(token), f"more than {MOST} words")
        if token["field"] and _is_field(token):
            return self._field(token)
        parts = self._inner(token, depth) if token["open"] else _words(token)
        return [Not(_joined(_only_terms(parts, _column(token))))] if parts and token["minus"] else parts

    def _inner(self, token: re.Match[str], depth: int) -> list[_Part]:
        if depth == DEEPEST:
            raise _wrong(_column(token), f"more than {DEEPEST} groups within each other")
        return self.group(depth + 1)

    def _field(self, token: re.Match[str]) -> list[_Part]:
        name, value = token["field"].lower(), token["value"] or token["quoted"]
        if not value:
            raise _wrong(_column(token), f"{name}: needs a value")
        if name in COLUMNS:
            words = _split(value, is_prefix=bool(token["value"]), column=COLUMNS[name])
            return [Not(word) if token["minus"] else word for word in words]
        try:
            read = FIELDS[name].read(value, self._now)
        except ValueError as e:
            raise _wrong(_column(token), f"{name}: {e}") from e
        return [_Filter(name, read, _column(token), is_excluded=bool(token["minus"]))]


def _join(token: re.Match[str], *, can_follow: bool) -> re.Match[str]:
    if not can_follow:
        raise _wrong(_column(token), f"{token['word']} needs a word on its left")
    return token


def _is_field(token: re.Match[str]) -> bool:
    """Whether name:value is a field, and not two words of a text with a colon between.

    Raises:
        UsageError: it looks like a field that is misspelt.
    """
    name = token["field"]
    if name.lower() in FIELDS or name.lower() in COLUMNS:
        return True
    if name.islower():
        known = ", ".join((*COLUMNS, *FIELDS))
        raise _wrong(_column(token), f'no field {name}: (known: {known}); in quotes these are words: "{token[0]}"')
    return False


def _words(token: re.Match[str]) -> list[_Part]:
    """The phrase or word of a token.

    Raises:
        UsageError: it is a field without a value.
    """
    word = token["word"] or ""
    if word.endswith(":") and (word[:-1] in FIELDS or word[:-1] in COLUMNS):
        raise _wrong(_column(token), f"{word} needs a value right behind the colon")
    return [*_split(token["phrase"] or token[0], is_prefix=bool(word))]


def _split(text: str, *, is_prefix: bool, column: str | None = None) -> list[Words]:
    words = tuple(split_words(text))
    return [Words(words, is_prefix and text.endswith("*"), column)] if words else []


def _either(left: list[_Part], right: list[_Part], column: int) -> list[_Part]:
    """Both sides of an OR as one term; values of one field are alternatives anyway."""
    both = [*left, *right]
    names = {part.field if isinstance(part, _Filter) and not part.is_excluded else None for part in both}
    if len(names) == 1 and None not in names:
        return both
    one, other = (_joined(_only_terms(side, column)) for side in (left, right))
    return [Any((*(one.terms if isinstance(one, Any) else (one,)), other))]


def _only_terms(parts: list[_Part], column: int) -> list[Term]:
    """The same parts.

    Raises:
        UsageError: a field is among them.
    """
    terms = [part for part in parts if not isinstance(part, _Filter)]
    if len(terms) < len(parts):
        raise _wrong(
            column, "a field is a filter of the whole query: OR and -( ) are for words, or values of one field"
        )
    return terms


def _joined(terms: list[Term]) -> Term:
    return terms[0] if len(terms) == 1 else All(tuple(terms))


def _filters(found: Iterable[_Filter]) -> Filters:
    values: dict[str, list[Anything]] = {}
    for part in found:
        values.setdefault(FIELDS[part.field].fills, []).append(part.value)
    filled: dict[str, Anything] = {name: tuple(dict.fromkeys(given)) for name, given in values.items()}
    return Filters(**filled)


def _column(token: re.Match[str]) -> int:
    return token.start() + 1


def _wrong(column: int, problem: str) -> UsageError:
    return UsageError(f"query, column {column}: {problem}")
