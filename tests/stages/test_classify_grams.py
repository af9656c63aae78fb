"""The table of words and pairs: it finds what a plain search finds, each once, and where phrases may begin."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.classify.grams import FEWEST, begin_of, near, tabled
from pipeline.stages.classify.lexicon import read
from pipeline.stages.words import Hit

NUMBERS = {"air": 0, "drill": 1, "navy": 2}
WEIGHTS = {"air": 0.5, "navy": -1.0, "air drill": 2.0, "navy air": -0.25, "air air": 1.0}
STARTS = ("drill", "air drill")
TABLE = tabled(WEIGHTS, STARTS, NUMBERS)
TEXTS = st.lists(st.sampled_from((*NUMBERS, "other", "unheard")), max_size=12)


@given(TEXTS, TEXTS)
def test_what_is_known_counts_once_by_how_many_words_and_pairs_differ(title: list[str], text: list[str]) -> None:
    grams = {gram for part in (title, text) for gram in (*part, *map(" ".join, pairwise(part)))}
    share = 1 / math.sqrt(max(len(grams), FEWEST))
    found = TABLE.of(read(NUMBERS, " ".join(title), " ".join(text)))
    expected = [WEIGHTS[gram] * share for gram in grams if gram in WEIGHTS]
    assert sorted(found.weights[found.weights != 0].tolist()) == pytest.approx(sorted(expected))


@given(TEXTS, TEXTS)
def test_phrases_may_begin_at_each_listed_word_or_pair(title: list[str], text: list[str]) -> None:
    keys = [*title, *text]
    words = [at for at, key in enumerate(keys) if key in STARTS]
    pairs = [at for at, pair in enumerate(pairwise(keys)) if " ".join(pair) in STARTS and at != len(title) - 1]
    found = TABLE.of(read(NUMBERS, " ".join(title), " ".join(text)))
    assert sorted(found.starts) == [*words, *(len(keys) + at for at in pairs)]


def test_a_phrase_begins_with_its_only_word_or_its_first_two() -> None:
    assert [begin_of(phrase) for phrase in ("F-16", "US Navy", "Chief of the Navy")] == ["f16", "us navy", "chief of"]


def test_concepts_far_apart_are_no_pair() -> None:
    hits = [Hit(0, 1, 7), Hit(6, 7, 8), Hit(13, 14, 9)]
    assert [*near(hits)] == [(hits[0], hits[1])]
