"""Concepts -> Phrases: the terms of `training/concepts.toml` and the names of the gazetteer, each with its concept.

Notation of a term: [a|b] is one of; (a|b) is one of or nothing; ~ is a space or nothing; = before it: its case matters.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.stages.tag import entities

_NOTATION = re.compile(r"([\[\]()|~])")


def listed(table: Mapping[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, int]]]:
    """The names of all concepts, and each phrase with the place of its concept; no phrase twice.

    A spelling that two groups list belongs to the last one; a name of the gazetteer that a group lists, to the group.
    """
    concepts: dict[str, str] = {}
    for group in table["group"]:
        for notation in _terms(group["terms"]):
            for spelling in spellings(notation.removeprefix("=")):
                concepts[spelling if notation.startswith("=") else spelling.lower()] = group["name"]
    folded = {phrase.lower() for phrase in concepts}
    for form, entity in entities.forms():
        if form.lower() not in folded:
            concepts.setdefault(form, f"{'possible ' if entity.unsure else ''}name of {entity.kind}")
    names = tuple(sorted(set(concepts.values())))
    place = {name: at for at, name in enumerate(names)}
    return names, sorted((phrase, place[concept]) for phrase, concept in concepts.items())


def spellings(notation: str) -> tuple[str, ...]:
    """Every spelling that a term's notation stands for."""
    found = _alternatives(iter(_NOTATION.split(notation)))
    return tuple(dict.fromkeys(" ".join(spelling.split()) for spelling in found))


def _alternatives(signs: Iterator[str]) -> Sequence[str]:
    """What the signs up to the next closing bracket stand for."""
    before: list[str] = []
    current = [""]
    for sign in signs:
        if sign in ("]", ")"):
            break
        if sign == "|":
            before += current
            current = [""]
            continue
        tails = {"[": [], "(": [""], "~": ["", " "]}.get(sign, [sign])
        if sign in ("[", "("):
            tails = [*tails, *_alternatives(signs)]
        current = [head + tail for head in current for tail in tails]
    return before + current


def _terms(listed: str) -> list[str]:
    return [term for part in listed.split(",") if (term := " ".join(part.split()))]
