"""Where the tables of names are, and how they are read: a line that says what the table is, then columns by tabs."""

from collections.abc import Iterator
from functools import cache
from importlib import resources

UNSURE = "?"  # before a form that is also something else


def lines(folder: str, name: str) -> Iterator[list[str]]:
    """The columns of each line of a table, without the line that says what it is."""
    text = resources.files(__package__).joinpath("gazetteer", folder, f"{name}.tsv").read_text(encoding="utf-8")
    return (line.split("\t") for line in text.splitlines()[1:])


@cache
def languages() -> frozenset[str]:
    """The languages, ISO 639-1, that have a table of countries."""
    folder = resources.files(__package__).joinpath("gazetteer", "countries")
    return frozenset(entry.name.removesuffix(".tsv") for entry in folder.iterdir())
