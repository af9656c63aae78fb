"""The classifier that ships: each language has its judge, every verdict its tags, and no language is silently other."""

import pytest

from pipeline.model import Label
from pipeline.stages.classify import Cuts, load
from tests.make import article as make_article

DRILLS = make_article(
    title="B-52H joins trilateral air drills near Jeju",
    text="South Korea, the US and Japan flew joint air drills with a B-52H. The three military chiefs met in Seoul and "
    "agreed to expand the Freedom Edge exercises against North Korea's nuclear and missile threats.",
    lang="en",
)


def test_the_worked_example_of_the_definition_is_defense_with_its_topics_and_tags() -> None:
    verdict = load().classify(DRILLS)
    assert verdict.label is Label.DEFENSE
    assert not verdict.needs_review
    assert verdict.classifier == "defnews-en@4"
    assert verdict.tagger == "gazetteer@1"
    assert {"KR", "US", "JP", "KP"} <= set(verdict.countries)
    assert {("B-52H", "system"), ("Freedom Edge", "exercise")} <= set(verdict.entities)
    assert "operations" in verdict.topics


@pytest.mark.parametrize(
    ("title", "lang", "name"),
    [
        ("한미 공군, B-1B 전략폭격기 동원해 연합공중훈련 실시", "ko", "terms-ko@4"),
        ("Російські війська вдарили ракетами по Харкову, є загиблі", "uk", "terms-uk@4"),
        ("Bundeswehr bestellt weitere Leopard-Panzer bei Rheinmetall", None, "terms-de@4"),
    ],
    ids=["ko", "uk", "de"],
)
def test_another_language_is_judged_by_its_dictionary(title: str, lang: str | None, name: str) -> None:
    classifier = load()
    verdict = classifier.classify(make_article(title=title, text="", lang=lang))
    assert verdict.label is Label.DEFENSE
    assert verdict.classifier == name
    assert classifier.classify(make_article(title=title, text="", lang=lang)) == verdict


def test_an_unknown_language_always_needs_review() -> None:
    verdict = load().classify(make_article(title="ᎣᏏᏲ ᏙᎯᏧ ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ", text="", lang=None))
    assert verdict.needs_review
    assert verdict.classifier == "terms-und@4"


def test_the_cuts_are_given_to_every_judge() -> None:
    strict = load(cuts=Cuts(threshold=1 - 1e-12, review=(0.0, 1.0)))
    korean = make_article(title="한미 공군, 연합공중훈련 실시", text="", lang="ko")
    for given in (DRILLS, korean):
        verdict = strict.classify(given)
        assert verdict.label is Label.OTHER
        assert verdict.needs_review
