"""Tables of entities -> Phrases: an index of all their forms, in a file, so that none is cut into words at loading.

Four parts, with an empty line between them: what the file is; the first words of forms, in all ways in which they
may be written; the entities, a line each; for each first word its forms with the places of their entities
(`words.Kept`), "?" before the place where the form does not always stand for it.
"""

import gzip
from importlib import resources

from pipeline.stages.tag.entities import Entity, forms
from pipeline.stages.tag.tables import UNSURE
from pipeline.stages.words import Kept, Phrases, kept

FILE = resources.files(__package__).joinpath("gazetteer", "entities.gz")
_FIRST = "Index of the tables in entities/: made by python -m pipeline.entrypoints.gazetteer, never by hand."


def written() -> bytes:
    """The file that follows from the tables; the same tables make the same bytes."""
    listed, begins = Phrases(forms()).index
    entities = dict.fromkeys((entity.name, entity.kind, entity.country) for _, entity in forms())
    places = {entity: at for at, entity in enumerate(entities)}
    lines = [
        f"{first}\t" + kept([(form, f"{UNSURE * bool(it.unsure)}{places[it[:3]]}") for form, it in listed[first]])
        for first in sorted(listed)
    ]
    parts = [_FIRST], sorted(begins), ["\t".join(entity) for entity in entities], lines
    return gzip.compress("\n\n".join("\n".join(part) for part in parts).encode(), mtime=0)


def read() -> Phrases[Entity]:
    """All forms of the tables, as the file keeps them."""
    _, begins, listed, lines = gzip.decompress(FILE.read_bytes()).decode().split("\n\n")
    entities = listed.split("\n")

    def entity(form: str, place: str) -> Entity:
        name, kind, country = entities[int(place.removeprefix(UNSURE))].split("\t")
        return Entity(name, kind, country, form if place.startswith(UNSURE) else "")

    firsts = dict(line.split("\t", 1) for line in lines.split("\n"))
    return Phrases.of(Kept(firsts, entity), frozenset(begins.split("\n")))
