"""The articles of the newsroom: original texts with known labels, read from articles/*.toml (one file a desk)."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

TOPICS = (
    "operations",
    "conflict",
    "weapons",
    "nuclear",
    "procurement",
    "industry",
    "policy",
    "personnel",
    "cyber",
    "terrorism",
)
DESKS = ("wire", "trade", "naval", "official", "thinktank", "broadcaster", "local", "europe", "asia")


@dataclass(frozen=True, slots=True)
class Text:
    """What a reporter filed, before any site has laid it out."""

    key: str  # unique; the slug of articles whose title has no Latin letters
    title: str
    paragraphs: tuple[str, ...]
    desk: str  # which kind of site carries it
    section: str
    defense: bool
    topics: tuple[str, ...] = ()  # codes of the codebook; empty unless defense
    countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-2
    authors: tuple[str, ...] = ()
    lang: str = "en"  # BCP 47
    hard: bool = False  # not defense-related, yet full of its words or near to it

    @property
    def body(self) -> str:
        """The paragraphs, joined with one newline."""
        return "\n".join(self.paragraphs)


@cache
def texts() -> tuple[Text, ...]:
    """All written texts, in the order of the desks and of each desk's file."""
    folder = files("pipeline.newsroom") / "articles"
    return tuple(
        _text(desk, row)
        for desk in DESKS
        for row in tomllib.loads((folder / f"{desk}.toml").read_text("utf-8"))["article"]
    )


def _text(desk: str, row: dict[str, object]) -> Text:
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    paragraphs = tuple(part.strip().replace("\n", " ") for part in str(fields.pop("text")).strip().split("\n\n"))
    return Text(desk=desk, paragraphs=paragraphs, **fields)  # type: ignore[arg-type]
