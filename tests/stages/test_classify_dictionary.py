"""Each language's dictionary judges with reasons that add up, and says when it should not be trusted."""

import math
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Article, Label
from pipeline.stages import classify
from pipeline.stages.classify.dictionary import CALIBRATED, ENOUGH, LANGUAGES, Labelled, calibrate, load
from pipeline.stages.classify.terms import fold
from tests.make import article as make_article

TOPICS = {
    "operations", "conflict", "weapons", "nuclear", "procurement", "industry", "policy", "personnel", "cyber",
    "terrorism",
}  # fmt: skip
WEIGHTS = {"3", "2", "1", "0.5", "0", "-1", "-2"}
FOLDER = resources.files(classify).joinpath("dictionaries")
TABLES = sorted(file.name for file in FOLDER.iterdir())


def german(title: str, text: str = "") -> Article:
    return make_article(title=title, text=text, lang="de")


def lines(name: str) -> list[str]:
    return FOLDER.joinpath(name).read_text(encoding="utf-8").split("\n")


@pytest.mark.parametrize(
    ("lang", "title", "topic"),
    [
        ("ko", "북한, 동해상으로 단거리 탄도미사일 발사", "weapons"),
        ("zh", "解放军在台湾周边举行实弹演习", "operations"),
        ("ru", "Минобороны: силы ПВО сбили 30 беспилотников над Брянской областью", "weapons"),
        ("he", 'צה"ל תקף משגרי רקטות של חיזבאללה בדרום לבנון', "operations"),
        ("es", "El Ministerio de Defensa firma el contrato de 34 cazas F-35", "weapons"),
    ],
)
def test_defense_news_is_defense_with_its_topic(lang: str, title: str, topic: str) -> None:
    verdict = load(lang).classify(make_article(title=title, text=""))
    assert verdict.label is Label.DEFENSE
    assert topic in verdict.topics
    assert verdict.classifier == f"terms-{lang}@4"


@pytest.mark.parametrize(
    ("lang", "title"),
    [
        ("de", "Handelskrieg: Börse reagiert gelassen auf neue Zölle"),
        ("fr", "Ligue 1 : l'attaque de Lens face à la défense de Nice"),
        ("ja", "映画『戦争と平和』、興行収入が過去最高"),
        ("ar", "المنتخب يفوز في المباراة النهائية بعد هجوم قوي"),
    ],
)
def test_words_in_another_sense_are_other(lang: str, title: str) -> None:
    verdict = load(lang).classify(make_article(title=title, text=""))
    assert verdict.label is Label.OTHER
    assert verdict.topics == ()


DRILL = (
    "Bundeswehr beginnt Manöver. Panzer und Kampfjets üben mit der Nato. Die Polizei sperrt Straßen; Panzer rollen. "
)


@given(st.text(), st.sampled_from(["", DRILL, DRILL * 9]) | st.text(), st.sampled_from(["de", "ko", "ar", "xx"]))
def test_base_and_evidence_add_up_to_the_score(title: str, text: str, lang: str) -> None:
    verdict = load(lang).classify(make_article(title=title, text=text))
    logit = math.log(verdict.score / (1 - verdict.score))
    assert logit == pytest.approx(verdict.base + math.fsum(piece.weight for piece in verdict.evidence), abs=1e-9)
    assert [piece.weight for piece in verdict.evidence] == sorted((e.weight for e in verdict.evidence), reverse=True)


def test_evidence_stands_where_it_says() -> None:
    article = german("Bundeswehr: Manöver", "Übung mit Kampfjets")
    verdict = load("de").classify(article)
    fields = {"title": article.title, "text": article.text}
    surfaces = {(piece.field, fields[piece.field][piece.start : piece.end]) for piece in verdict.evidence}
    assert {("title", "Bundeswehr"), ("title", "Manöver"), ("text", "Kampfjets")} <= surfaces


def test_a_repeat_counts_less_and_a_title_more() -> None:
    once = load("de").classify(german("", "Ein Panzer."))
    again = load("de").classify(german("", "Ein Panzer. Ein Panzer."))
    title = load("de").classify(german("Ein Panzer.", "Mehr."))
    assert once.score < min(again.score, title.score)
    assert again.evidence[1].weight < again.evidence[0].weight / 2


def test_what_comes_after_the_lead_is_not_read() -> None:
    long = german("Bericht", "x " * 500 + DRILL)
    assert load("de").classify(long).evidence == ()


def test_more_text_against_it_does_not_pile_up() -> None:
    against = "Fußball, Börse, Gericht, Film, Polizei, Konzert, Wahl, Museum, Inflation, Urteil, Theater, Wetter"
    verdict = load("de").classify(german("Kampfjets fliegen Luftangriffe", f"Raketen und Soldaten. {against}"))
    weights = [piece.weight for piece in verdict.evidence if piece.weight < 0]
    assert len(weights) == 12
    assert sum(weights) > 4 * min(weights)


@pytest.mark.parametrize(
    ("lang", "name"),
    [
        ("xx", "terms-und@4"),
        ("und", "terms-und@4"),
        ("en", "terms-und@4"),
        ("hr", "terms-sr@4"),
        ("ms", "terms-id@4"),
        ("sk", "terms-cs@4"),
    ],
)
def test_a_language_without_dictionary_is_read_by_a_related_one_or_by_names_and_always_reviewed(
    lang: str, name: str
) -> None:
    verdict = load(lang).classify(make_article(title="NATO: HIMARS, F-16", text="", lang=lang))
    assert verdict.label is Label.DEFENSE
    assert verdict.classifier == name
    assert verdict.needs_review


def test_a_long_text_needs_more_for_it_than_a_short_one() -> None:
    short = load("de").classify(german("Wetter", "Ein Panzer. Regen und Sonne."))
    long = load("de").classify(german("Wetter", "Ein Panzer." + " Regen und Sonne." * 30))
    assert long.score < short.score


def test_only_doubtful_verdicts_need_review_in_a_calibrated_language() -> None:
    sure = german("Bundeswehr schickt Kampfjets und Panzer ins Manöver")
    assert not load("de").classify(sure).needs_review
    assert load("de", review=(0.0, 1.0)).classify(sure).needs_review
    assert load("de", threshold=1.0).classify(sure).label is Label.OTHER
    assert load("hr").classify(make_article(title="Vojska ispalila rakete", text="")).needs_review


def test_a_defense_verdict_always_has_a_topic() -> None:
    verdict = load("de", threshold=0.0).classify(german("Wetter"))
    assert verdict.topics == ("operations",)


def test_the_languages_are_those_with_a_table() -> None:
    assert {name[:2] for name in TABLES} - {"un", "ca"} == LANGUAGES
    assert {"ar", "de", "es", "fr", "he", "ja", "ko", "pl", "ru", "tr", "uk", "zh"} <= CALIBRATED <= LANGUAGES
    assert {"bg", "et", "hi", "lt", "lv", "sr", "th", "ur", "vi"} <= CALIBRATED
    assert {"cs", "da", "el", "fa", "fi", "hu", "id", "it", "nl", "no", "pt", "ro", "sv"} <= CALIBRATED


@pytest.mark.parametrize("name", [name for name in TABLES if name != "calibration.tsv"])
def test_every_table_is_whole(name: str) -> None:
    first, *rows, last = lines(name)
    assert first.startswith("# ")
    assert last == ""
    cells = [row.split("\t") for row in rows]
    assert {len(row) for row in cells} == {3}
    assert {weight for _, weight, _ in cells} <= WEIGHTS
    assert {topic for *_, topic in cells} <= TOPICS | {"-"}
    terms = [term for term, *_ in cells]
    assert len(terms) == len(set(terms)) > 200
    assert [term for term in terms if not fold(term).text.strip("* ") or term != term.strip()] == []


def labelled(lang: str, count: int) -> list[Labelled]:
    """Items of which every tenth is against what its words say."""
    made = []
    for number in range(count):
        is_defense = number % 2
        title = f"{'Kampfjets' if is_defense else 'Fußball'} {number}"
        made.append(Labelled(lang, title, "", is_defense if number % 10 else 1 - is_defense))
    return made


def rows_of(table: str) -> dict[str, tuple[int, float, float]]:
    rows = [line.split("\t") for line in table.splitlines()[1:]]
    return {lang: (int(items), float(slope), float(shift)) for lang, items, slope, shift in rows}


def test_a_language_is_calibrated_from_a_hundred_labelled_items_on() -> None:
    rows = rows_of(calibrate([*labelled("de", ENOUGH), *labelled("nl", ENOUGH - 1), *labelled("xx", ENOUGH)]))
    assert set(rows) == {"*", "de"}
    assert rows["*"][0] == 2 * ENOUGH - 1
    assert rows["de"][0] == ENOUGH


def test_borderline_items_and_their_order_do_not_count() -> None:
    items = labelled("de", ENOUGH)
    borderline = Labelled("de", "Grenzfall", "", None)
    assert calibrate(items) == calibrate([borderline, *reversed(items)])


def test_calibration_follows_the_items() -> None:
    doubtful = labelled("de", 400)
    firm = [item for number, item in enumerate(doubtful) if number % 10]
    assert rows_of(calibrate(firm))["*"][1] > rows_of(calibrate(doubtful))["*"][1] > 0


@pytest.mark.parametrize("items", [[], labelled("de", 2), [item._replace(label=1) for item in labelled("de", 300)]])
def test_calibration_stays_finite(items: list[Labelled]) -> None:
    for _, slope, shift in rows_of(calibrate(items)).values():
        assert math.isfinite(slope)
        assert math.isfinite(shift)


def test_the_calibration_that_ships_is_well_formed() -> None:
    assert lines("calibration.tsv")[0].startswith("# ")
    rows = rows_of("\n".join(lines("calibration.tsv")))
    assert all(items >= ENOUGH and slope > 0 > shift for items, slope, shift in rows.values())
