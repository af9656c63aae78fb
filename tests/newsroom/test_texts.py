"""The written texts: enough of them, well formed, all topics, no two alike."""

import re
from collections import Counter
from itertools import combinations

import pytest

from pipeline.newsroom.filler import filler
from pipeline.newsroom.texts import TOPICS, Text, texts

ENGLISH = [text for text in texts() if text.lang == "en"]


def shingles(text: Text) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.body.lower())
    return {tuple(words[start : start + 3]) for start in range(len(words) - 2)}


def likeness(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> float:
    return len(one & other) / len(one | other)


def test_at_least_half_of_sixty_english_texts_are_defense() -> None:
    assert len(ENGLISH) >= 60
    assert 2 * sum(text.defense for text in ENGLISH) >= len(ENGLISH)


def test_every_topic_occurs_three_times() -> None:
    counts = Counter(topic for text in ENGLISH for topic in text.topics)
    assert set(counts) == set(TOPICS)
    assert min(counts.values()) >= 3


def test_fourteen_texts_are_hard_negatives() -> None:
    hard = [text for text in texts() if text.hard]
    assert len(hard) >= 14
    assert not any(text.defense for text in hard)


def test_several_languages_are_written() -> None:
    assert {text.lang for text in texts()} == {"en", "de", "fr", "es", "ko", "ja", "uk"}


@pytest.mark.parametrize("text", texts(), ids=lambda text: text.key)
def test_a_text_is_well_formed(text: Text) -> None:
    assert bool(text.topics) == text.defense
    assert set(text.topics) <= set(TOPICS)
    assert all(re.fullmatch("[A-Z]{2}", country) for country in text.countries)
    assert text.countries
    assert all(paragraph == " ".join(paragraph.split()) for paragraph in text.paragraphs)
    least, most = (1_200, 3_500) if text.lang == "en" else (300, 3_500)
    assert least <= len(text.body) <= most
    assert (5 if text.lang == "en" else 3) <= len(text.paragraphs) <= 12


def test_keys_and_titles_are_unique() -> None:
    assert len({text.key for text in texts()}) == len({text.title for text in texts()}) == len(texts())


def test_no_two_texts_are_near_identical() -> None:
    found = [shingles(text) for text in ENGLISH]
    assert max(likeness(one, other) for one, other in combinations(found, 2)) < 0.05


def test_no_two_fillers_are_near_identical() -> None:
    found = [shingles(text) for text in filler(3, 120)]
    assert max(likeness(one, other) for one, other in combinations(found, 2)) < 0.4


def test_filler_is_the_same_for_the_same_seed_only() -> None:
    assert filler(3, 20) == filler(3, 30)[:20]
    assert filler(3, 20) != filler(4, 20)


def test_fillers_are_distinct_long_enough_and_of_both_labels() -> None:
    made = filler(5, 400)
    assert len({text.body for text in made}) == len({text.key for text in made}) == 400
    assert min(len(text.body) for text in made) > 500
    assert {text.defense for text in made} == {True, False}
    assert not any("{" in text.body + text.title for text in made)
