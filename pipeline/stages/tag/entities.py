"""Words -> Mentions of systems, forces, exercises, organisations, ministries and firms.

A form that is also something else, marked "?" in its table, counts only near a word that goes with its kind, or near a
sure name of its kind; a designator so marked must also be written as it is listed: "A-10", not "A10". A designator that
is written carelessly, "f-16" or "F16", is as unsure as a marked one.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.stages.tag.tables import UNSURE, lines
from pipeline.stages.words import Hit, Phrases, Words

KINDS = ("system", "force", "exercise", "organisation", "ministry", "firm")
NEAR = 12  # words to either side


class Entity(NamedTuple):
    """What a form in the tables stands for."""

    name: str
    kind: str
    country: str  # "-": none, or several
    unsure: str = ""  # the form, when it does not always stand for this


class Mention(NamedTuple):
    """An entity at a place."""

    at: int  # its first word
    entity: Entity


class Entities:
    """Finds all that the tables of entities list."""

    def __init__(self, phrases: Phrases[Entity]) -> None:
        self._phrases = phrases
        self._near = {
            kind: frozenset(near.split("|")) for kinds, near in lines("entities", "near") for kind in kinds.split("|")
        }

    def find(self, words: Words) -> list[Mention]:
        """The entities that are named, by place."""
        hits = list(self._phrases.find(words))
        if not hits:
            return []
        sure = [hit for hit in hits if self._is_sure(hit, words)]
        meant = {hit.start for hit in sure}
        return [Mention(hit.start, hit.value) for hit in hits if hit.start in meant or self._is_meant(hit, words, sure)]

    def _is_sure(self, hit: Hit[Entity], words: Words) -> bool:
        """Whether a form can mean nothing else: it is not marked, and not a designator that is written carelessly."""
        if hit.value.unsure:
            return False
        word = words.surfaces[hit.start]
        is_careful = word[0].isupper() and not word.isalnum()
        return hit.end > hit.start + 1 or word.isalpha() or is_careful or self._phrases.has(word.removesuffix("s"))

    def _is_meant(self, hit: Hit[Entity], words: Words, sure: Sequence[Hit[Entity]]) -> bool:
        """Whether a form that is not sure stands for its entity here, by the words near it."""
        form, kind = hit.value.unsure, hit.value.kind
        if "-" in form and hit.end == hit.start + 1 and not words.surfaces[hit.start].startswith(form):
            return False
        first, end = max(hit.start - NEAR, 0), hit.end + NEAR
        near = {*words.keys[first : hit.start], *words.keys[hit.end : end]}
        kin = any(other.value.kind == kind and first <= other.start < end for other in sure)
        return kin or not near.isdisjoint(self._near[kind])


def forms() -> list[tuple[str, Entity]]:
    """Every form that the tables list, with what it stands for; then the plurals of weapons."""
    found: list[tuple[str, Entity]] = []
    plural: list[tuple[str, Entity]] = []
    for kind in KINDS:
        for listed, country, *aliases in lines("entities", kind):
            name = listed.removeprefix(UNSURE)
            entity = Entity(name, kind, country)
            for form in (listed, *aliases[0].split("|")) if aliases else (listed,):
                if form[0] == UNSURE:
                    found.append((form[1:], Entity(name, kind, country, form[1:])))
                else:
                    found.append((form, entity))
                    if kind == "system" and form.isalpha():
                        plural.append((f"{form}s", entity))
    return found + plural
