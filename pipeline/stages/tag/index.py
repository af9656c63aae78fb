"""Tables of names -> Phrases: an index of all their forms, in a file, so that none is cut into words at loading.

Parts, with an empty line between them: what the file is; the first words of forms, in all ways in which they may be
written; for each first word its forms with what is kept of their values (`words.Kept`). Of an entity that is its place
in a last part, an entity a line, behind "?" where the form does not always stand for it; of a country its condition and
its codes.
"""

import gzip
from collections.abc import Callable
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TypeVar

from pipeline.stages.tag.countries import CONDITIONS, ENGLISH, Place
from pipeline.stages.tag.countries import forms as country_forms
from pipeline.stages.tag.entities import Entity
from pipeline.stages.tag.entities import forms as entity_forms
from pipeline.stages.tag.tables import UNSURE
from pipeline.stages.words import Kept, Phrases, kept

_FOLDER = resources.files(__package__).joinpath("gazetteer")
ENTITIES, COUNTRIES = _FOLDER.joinpath("entities.gz"), _FOLDER.joinpath("countries.gz")
_FIRST = "Index of the tables in {}/: made by python -m pipeline.entrypoints.gazetteer, never by hand."

T = TypeVar("T")


def written() -> dict[Traversable, bytes]:
    """The files that follow from the tables; the same tables make the same bytes."""
    entities = dict.fromkeys((entity.name, entity.kind, entity.country) for _, entity in entity_forms())
    places = {entity: at for at, entity in enumerate(entities)}
    return {
        ENTITIES: _written(
            "entities",
            Phrases(entity_forms()),
            lambda it: f"{UNSURE * bool(it.unsure)}{places[it[:3]]}",
            ["\t".join(entity) for entity in entities],
        ),
        COUNTRIES: _written(
            "countries", Phrases(country_forms(ENGLISH).items()), lambda it: it.condition + ",".join(it.codes)
        ),
    }


def _written(name: str, phrases: Phrases[T], spelled: Callable[[T], str], *more: list[str]) -> bytes:
    listed, begins = phrases.index
    lines = [f"{first}\t" + kept([(form, spelled(value)) for form, value in listed[first]]) for first in sorted(listed)]
    parts = [_FIRST.format(name)], sorted(begins), lines, *more
    return gzip.compress("\n\n".join("\n".join(part) for part in parts).encode(), mtime=0)


def entities() -> Phrases[Entity]:
    """All forms of the tables of entities, as the file keeps them."""
    begins, lines, listed = _parts(ENTITIES)
    known = listed.split("\n")

    def entity(form: str, place: str) -> Entity:
        name, kind, country = known[int(place.removeprefix(UNSURE))].split("\t")
        return Entity(name, kind, country, form if place.startswith(UNSURE) else "")

    return _phrases(begins, lines, entity)


def countries() -> Phrases[Place]:
    """All forms of the English table of countries, as the file keeps them."""
    begins, lines = _parts(COUNTRIES)
    return _phrases(begins, lines, _place)


def _place(_: str, spelled: str) -> Place:
    condition = spelled[:1] if spelled.startswith(CONDITIONS) else ""
    codes = spelled.removeprefix(condition)
    return Place(tuple(codes.split(",")) if codes else (), condition)


def _parts(file: Traversable) -> list[str]:
    """The parts of a file, but for what it is."""
    return gzip.decompress(file.read_bytes()).decode().split("\n\n")[1:]


def _phrases(begins: str, lines: str, value: Callable[[str, str], T]) -> Phrases[T]:
    firsts = dict(line.split("\t", 1) for line in lines.split("\n"))
    return Phrases.of(Kept(firsts, value), frozenset(begins.split("\n")))
