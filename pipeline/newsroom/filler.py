"""Seeded filler: any number of distinct plausible texts put together from filler.toml, for volume only."""

import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from random import Random
from typing import Any

from pipeline.newsroom.texts import Text

FILLER = "filler"  # the desk of these texts, and the start of their keys
THEME_SENTENCES = 6  # besides the opening one
GENERAL_SENTENCES = 6


@lru_cache(maxsize=2)
def filler(seed: int, n: int) -> tuple[Text, ...]:
    """`n` texts, all different; the first ones do not depend on `n`."""
    return tuple(_text(seed, number) for number in range(n))


def _text(seed: int, number: int) -> Text:
    random = Random(f"filler {seed} {number}")  # noqa: S311 - reproducible, nothing secret
    theme = random.choice(_parts()["theme"])
    words = _words(random)
    opening, *others = theme["sentences"]
    chosen = random.sample(others, THEME_SENTENCES) + random.sample(_parts()["general"], GENERAL_SENTENCES)
    random.shuffle(chosen)
    sentences = [_filled(row, words, random) for row in (opening, *chosen)]
    paragraphs = []
    while sentences:
        size = random.randint(1, 3)
        paragraphs.append(" ".join(sentences[:size]))
        del sentences[:size]
    topics = tuple(theme.get("topics", ()))
    return Text(
        key=f"{FILLER}-{seed}-{number}",
        title=_filled(random.choice(theme["titles"]), words, random),
        paragraphs=tuple(paragraphs),
        desk=FILLER,
        section=theme["section"],
        defense=bool(topics),
        topics=topics,
        authors=(random.choice(_parts()["slots"]["person"]),),
    )


def _words(random: Random) -> dict[str, str]:
    """One choice for each slot, so that a text stays with its people and places.

    `x2` differs from `x`, `x_cap` can start a sentence, `x_bare` has no article.
    """
    words: dict[str, str] = {}
    for name, choices in _parts()["slots"].items():
        first, second = random.sample(choices, 2)
        words[name], words[f"{name}2"] = first, second
        words[f"{name}_cap"], words[f"{name}_bare"] = first[0].upper() + first[1:], first.split(" ", 1)[-1]
    return words


def _filled(sentence: str, words: dict[str, str], random: Random) -> str:
    n, n2 = random.sample(range(2, 29), 2)
    text = sentence.format_map({**words, "n": n, "n2": n2, "N": f"{random.randint(110, 9_900):,}"})
    return text[0].upper() + text[1:]


@cache
def _parts() -> dict[str, Any]:
    return tomllib.loads((files("pipeline.newsroom") / "filler.toml").read_text("utf-8"))
