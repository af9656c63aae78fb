"""Article -> Verdict: the classifiers, by name.

A new classifier is one file beside this one and one line in `CLASSIFIERS`.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from pipeline.errors import UsageError
from pipeline.model import Article, Verdict
from pipeline.stages.classify import lexicon

Review = tuple[float, float]  # scores from the first to the second are for a person to look at


class Classifier(Protocol):
    """What every classifier offers; it is pure, and quick enough for the caller to wait for."""

    @property
    def name(self) -> str:
        """Its name and version, as "lexicon@1"."""
        ...

    def classify(self, article: Article) -> Verdict:
        """Say whether an article is defense-related by the codebook, and why."""
        ...


CLASSIFIERS: Mapping[str, Callable[[Review], Classifier]] = {lexicon.NAME: lexicon.load}


def load(name: str, review: Review = (0.3, 0.7)) -> Classifier:
    """The classifier of that name; without "@version", the one we ship.

    Raises:
        UsageError: no classifier has this name.
    """
    for known, build in CLASSIFIERS.items():
        if name in (known, known.partition("@")[0]):
            return build(review)
    raise UsageError(f"unknown classifier {name!r}: known are {', '.join(sorted(CLASSIFIERS))}")
