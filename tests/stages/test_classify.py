"""Classifiers are found by name."""

import pytest

from pipeline.errors import UsageError
from pipeline.stages.classify import CLASSIFIERS, load


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_is_loaded_by_its_full_and_its_short_name(name: str) -> None:
    assert load(name).name == name
    assert load(name.partition("@")[0]).name == name


@pytest.mark.parametrize("name", ["oracle", "lexicon@0", ""])
def test_an_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(UsageError, match=r"lexicon@1"):
        load(name)
