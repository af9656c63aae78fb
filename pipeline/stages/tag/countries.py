"""English words -> the countries that they name.

A table lists a country's names, peoples, seats of government and well-known places. The longest form wins and uses its
words up: "Indian Ocean", listed for no country, hides "Indian".
"""

from typing import NamedTuple

from pipeline.stages.tag.tables import lines
from pipeline.stages.words import Phrases, Words

Codes = tuple[str, ...]  # ISO 3166-1 alpha-2, and XK

ENGLISH = "en"
NOWHERE = "-"  # instead of a code: forms that only hide what they hold
BESIDE, ALONE = "?", "!"  # before a form that counts only beside a third country, or only where no other is named
CONDITIONS = (BESIDE, ALONE)
NAMESAKE = "US"  # the country that has places of the same name: Georgia


class Place(NamedTuple):
    """What a form in a table stands for."""

    codes: Codes
    condition: str = ""  # BESIDE, ALONE, or none


def forms(language: str) -> dict[str, Place]:
    """What each form of a table stands for; a form that only hides others, for no country."""
    found: dict[str, Place] = {}
    for code, listed in lines("countries", language):
        here = Place(() if code == NOWHERE else (code,))
        for form in listed.split("|"):
            bare = form[1:] if form[0] in CONDITIONS else form
            known = found.get(bare)
            if known is None and bare is form:
                found[bare] = here
            else:
                found[bare] = Place((known.codes if known else ()) + here.codes, form[: len(form) - len(bare)])
    return found


class Countries:
    """Finds the countries that English words name."""

    def __init__(self, phrases: Phrases[Place]) -> None:
        self._phrases = phrases

    def find(self, words: Words) -> list[tuple[int, str]]:
        """Where a country is named, in words, and its code; several at one place are possible."""
        hits = list(self._phrases.find(words))
        if not hits:
            return []
        plain = {code for hit in hits if not hit.value.condition for code in hit.value.codes}
        met = {"": True, BESIDE: bool(plain - {NAMESAKE}), ALONE: not plain}
        return [(hit.start, code) for hit in hits if met[hit.value.condition] for code in hit.value.codes]
