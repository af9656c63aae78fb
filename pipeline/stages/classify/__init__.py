"""Article -> Verdict: by the trained model if it is English, else by the dictionary of its language; with its tags.

`english` and `dictionary` judge; `language` says who is asked. What the English model reads is in `lexicon`, the table
of what it learnt of words in `grams`; `weights` is its file, and `fit` makes it.
"""

from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Protocol

from pipeline.errors import UsageError
from pipeline.model import Article, Verdict
from pipeline.stages import tag
from pipeline.stages.classify import dictionary, weights
from pipeline.stages.classify.english import English, Model
from pipeline.stages.language import settled

NAME = "defnews@1"  # of the whole; a verdict names the model or dictionary that gave it
ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where scores are cut."""

    threshold: float = 0.5  # from here on: defense
    review: tuple[float, float] = (0.3, 0.7)  # scores from the first to the second are for a person to look at


class Classifier(Protocol):
    """What every classifier offers; it is pure, and quick enough for the caller to wait for."""

    @property
    def name(self) -> str:
        """Its name and version."""
        ...

    def classify(self, article: Article) -> Verdict:
        """Say whether an article is defense-related by the codebook, why, and what it is about."""
        ...


class ByLanguage:
    """The classifier that ships: one judge a language, and the tagger."""

    name = NAME

    def __init__(self, english: English, cuts: Cuts) -> None:
        self._english = english
        self._cuts = cuts
        self._others: dict[str, dictionary.Dictionary] = {}
        self._tagger = tag.load()

    def classify(self, article: Article) -> Verdict:
        """Say whether an article is defense-related by the codebook, why, and what it is about."""
        lang = settled(article)
        verdict = (self._english if lang == ENGLISH else self._dictionary(lang)).classify(article)
        tags = self._tagger.tag(article)
        return replace(verdict, tagger=self._tagger.name, countries=tags.countries, entities=tags.entities)

    def _dictionary(self, lang: str) -> dictionary.Dictionary:
        if lang not in self._others:
            self._others[lang] = dictionary.load(lang, self._cuts.threshold, self._cuts.review)
        return self._others[lang]


def load(model: Path | None = None, cuts: Cuts | None = None) -> Classifier:
    """The classifier, with the model in a file, or the one that ships.

    Raises:
        UsageError: the file is not there, or is no model of this version.
    """
    cuts = cuts or Cuts()
    return ByLanguage(English(_model(model), cuts.threshold, cuts.review), cuts)


@cache
def _model(path: Path | None) -> Model:
    try:
        file = resources.files(__package__).joinpath("model.npz") if path is None else path
        data = file.read_bytes()
    except OSError as e:
        raise UsageError(f"model {path}: {e.strerror}") from e
    return weights.read(data, str(path or "the model that ships"))
