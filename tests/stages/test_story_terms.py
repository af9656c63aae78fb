"""Terms and how rare they are: stems in English, whole words elsewhere, or pairs of characters."""

import math
from pathlib import Path

import pytest

from pipeline.stages.story import terms as module
from pipeline.stages.story.terms import FEWEST, RAREST_ABROAD, Term, counted, hashed, read, shipped, stem, terms


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("parties", "party"), ("missiles", "missil"), ("missile", "missil"), ("landing", "land"), ("fired", "fir"),
        ("fires", "fir"), ("ships", "ship"), ("press", "press"), ("king", "king"), ("f16s", "f16s"), ("köln", "köln"),
    ],
)  # fmt: skip
def test_a_stem_has_lost_its_ending(word: str, wanted: str) -> None:
    assert stem(word) == wanted


def test_terms_of_another_language_carry_it_and_keep_their_endings() -> None:
    assert terms("Zwei Raketen", "de") == [Term("de:zwei", "Zwei"), Term("de:raketen", "Raketen")]


def test_what_is_written_without_spaces_is_read_in_pairs_of_characters() -> None:
    found = terms("朝鲜发射 F-16", "zh")
    assert [term.key for term in found] == ["zh:朝鲜", "zh:鲜发", "zh:发射", "zh:f16"]


def test_a_term_is_the_rarer_the_fewer_texts_have_it(tmp_path: Path) -> None:
    texts = [("the missile", "en")] * 30 + [("the ship", "en")] * (FEWEST - 1) + [("der Panzer", "de")] * 6
    made = counted(texts)
    assert made.of("missil") == pytest.approx(math.log(37 / 30))
    assert made.of("ship") == made.of("never") == made.rarest == pytest.approx(math.log(37 / 3))
    assert made.of("de:panzer") == 0.0
    assert made.of("de:nie") == RAREST_ABROAD
    made.write(tmp_path / "rarity.npz")
    kept = read(tmp_path / "rarity.npz")
    assert kept.rarest == made.rarest
    assert kept.listed == {key: pytest.approx(rare, abs=module.STEP / 2) for key, rare in made.listed.items()}


def test_the_table_that_ships_knows_what_is_common() -> None:
    rarity = shipped()
    assert rarity.of("the") < rarity.of("missil") < rarity.of("wonsan")


def test_a_hash_has_its_bits() -> None:
    assert 0 <= hashed("wonsan") < 1 << module.BITS


def test_half_a_surrogate_pair_has_a_hash_too() -> None:
    assert hashed("\ud800") >= 0
