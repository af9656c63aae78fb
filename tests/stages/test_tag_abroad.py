"""Countries in other languages: which table reads a text, and how its forms are matched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages import tag
from pipeline.stages.tag.abroad import home_of, language_of, table_of
from tests import make

TAGGER = tag.load()


def countries(title: str, text: str = "", lang: str | None = None) -> tuple[str, ...]:
    return TAGGER.tag(make.article(title=title, text=text, lang=lang)).countries


@pytest.mark.parametrize(
    ("declared", "text", "language"),
    [
        ("de-AT", "Der Minister", "de"),
        ("EN-us", "The minister", "en"),
        (None, "The minister", "en"),
        (None, "The minister’s café", "en"),
        ("xx", "The minister", "en"),
        (None, "국방부는 북한이 미사일을 발사했다고 밝혔다", "ko"),
        (None, "防衛省はミサイルが発射されたと発表した", "ja"),
        (None, "国防部发言人表示坚决反对", "zh"),
        (None, "กองทัพไทยแถลง", "th"),
        (None, "צה״ל הודיע", "he"),
        (None, "रक्षा मंत्रालय ने कहा", "hi"),
        (None, "قال الجيش إن الهجوم انتهى", "ar"),
        (None, "وزارت دفاع ایران گفت", "fa"),
        (None, "وزیر دفاع نے کہا ہے", "ur"),
        (None, "Міністерство оборони повідомило", "uk"),
        (None, "Министерство обороны сообщило", "ru"),
        (None, "Υπουργείο Άμυνας", "el"),
        (None, "თავდაცვის სამინისტრო", "en"),
        ("nb-NO", "Forsvaret", "no"),
    ],
)
def test_a_text_is_read_by_the_table_of_its_language(declared: str | None, text: str, language: str) -> None:
    assert language_of(make.article(title=text, text="", lang=declared)) == language


@pytest.mark.parametrize(
    ("declared", "language", "home"),
    [("de-AT", "de", "AT"), ("de", "de", "DE"), (None, "ko", "KR"), ("en-US", "ko", "KR"), ("zh-Hant", "zh", None),
     ("zh-TW", "zh", "TW"), ("es", "es", None)],
)  # fmt: skip
def test_a_language_has_a_home(declared: str | None, language: str, home: str | None) -> None:
    assert home_of(declared, language) == home


@pytest.mark.parametrize(
    ("lang", "title", "found"),
    [
        pytest.param("ru", "США и Россия договорились с КНДР", ("US", "RU", "KP"), id="capitals"),
        pytest.param("ru", "Украинские военные", ("UA",), id="a stem"),
        pytest.param("ru", "Сшастье", ("RU",), id="no form inside a word"),
        pytest.param("pl", "Korea Południowa i Korei Północnej", ("KR", "KP"), id="stems of two words"),
        pytest.param("zh", "美国与俄罗斯", ("US", "RU"), id="anywhere"),
        pytest.param("ja", "日米が訓練", ("JP", "US"), id="a form for two"),
        pytest.param("ko", "미국은 북한이", ("US", "KP"), id="particles"),
        pytest.param("ar", "والولايات المتحدة وروسيا", ("US", "RU"), id="article and prepositions"),
        pytest.param("he", "בישראל וברוסיה", ("IL", "RU"), id="prefixes"),
        pytest.param("tr", "İRAN VE ABD'nin", ("IR", "US"), id="the Turkish i"),
        pytest.param("de", "Der Minister tritt zurück", ("DE",), id="home"),
        pytest.param("de-CH", "Der Minister tritt zurück", ("CH",), id="home as declared"),
        pytest.param("es", "El ministro dimite", (), id="no home"),
        pytest.param("es", "El ministro con un F-16", ("US",), id="a system alone"),
    ],
)
def test_countries_are_found(lang: str, title: str, found: tuple[str, ...]) -> None:
    assert set(countries(title, lang=lang)) == set(found)


def test_title_and_lead_are_read_and_no_more() -> None:
    assert countries("米国", "韓国" + "。" * 1_000 + "中国", "ja") == ("US", "KR")


def test_a_table_is_read_once() -> None:
    assert table_of("ja") is table_of("ja")


@given(st.lists(st.sampled_from(["США", "Россия", "и", "Корея", ",", "ого"]), max_size=9))
def test_each_mention_is_counted(chosen: list[str]) -> None:
    found = table_of("ru").find(" ".join(chosen))
    assert found.count("US") == chosen.count("США")
    assert found.count("RU") == chosen.count("Россия")
