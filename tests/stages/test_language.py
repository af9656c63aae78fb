"""Which language an article is in: script first, then function words, then letters; what was declared is a hint."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.language import MIXED, UNKNOWN, language, settled, tag
from tests.make import article as make_article


def read(title: str, lang: str | None = None, text: str = "") -> str:
    return language(make_article(title=title, text=text, lang=lang))


@pytest.mark.parametrize(
    ("title", "lang"),
    [
        ("북한, 동해상으로 탄도미사일 발사", "ko"),
        ("防衛省、新型ミサイルの配備を発表", "ja"),
        ("解放军在台湾周边举行军演", "zh"),
        ("กองทัพเรือจัดซื้อเรือฟริเกต", "th"),
        ('צה"ל תקף בדרום לבנון', "he"),
        ("Το Πολεμικό Ναυτικό παραλαμβάνει φρεγάτα", "el"),
        ("भारतीय नौसेना ने युद्धाभ्यास शुरू किया", "hi"),
        ("საქართველოს თავდაცვის ძალები", "ka"),
        ("Войска нанесли удар по аэродрому под Киевом", "ru"),
        ("Війська завдали удару по аеродрому, є загиблі", "uk"),
        ("القوات المسلحة تعلن بدء المناورات", "ar"),
        ("وزارت دفاع از موشک جدید خبر داد", "fa"),
        ("Bundeswehr bestellt weitere Schützenpanzer", "de"),
        ("Türk Silahlı Kuvvetleri tatbikata başladı", "tr"),
        ("Hải quân tiếp nhận tàu ngầm mới", "vi"),
        ("Soldiers killed near border", "en"),
    ],
)
def test_an_article_without_a_declared_language_is_read(title: str, lang: str) -> None:
    assert read(title) == lang


@pytest.mark.parametrize("declared", ["en", "en-US", "ru", "x-default", "", "und"])
def test_the_script_overrules_what_was_declared(declared: str) -> None:
    assert read("북한, 동해상으로 탄도미사일 발사", declared) == "ko"


@pytest.mark.parametrize(
    ("title", "declared", "lang"),
    [
        ("Министерство отбраны", "bg-BG", "bg"),
        ("防衛省統合作戦司令部新設", "ja", "ja"),
        ("وزارت دفاع", "ur", "ur"),
        ("लष्कर प्रमुख", "mr", "mr"),
        ("El ejército despliega tropas en la frontera", "es_MX", "es"),
        ("Hærinn æfir", "is", "is"),
        ("Forsvaret bestiller nye fregatter", "nb-NO", "no"),
        ("משרד הביטחון", "iw", "he"),
    ],
)
def test_a_declared_language_that_fits_is_kept(title: str, declared: str, lang: str) -> None:
    assert read(title, declared) == lang


@pytest.mark.parametrize(
    ("title", "declared"),
    [
        ("The army says its troops have left the base after the raid", "de"),
        ("Marines killed as helicopter crashes off coast", "fr"),
        ("Two soldiers killed by a mine", "ko"),
        ("La Grande Muette: how the French army learned to talk with its critics", "en"),
        ("Boeing F-15EX", "en"),
        ("Seoul's film 기생충 wins the prize of the year in Cannes again", None),
    ],
)
def test_clear_english_is_english_whatever_was_declared(title: str, declared: str | None) -> None:
    assert read(title, declared) == "en"


@pytest.mark.parametrize(
    ("title", "text", "lang"),
    [
        ("Los soldados salieron de la base por la noche", "", "es"),
        (
            "Laserwaffe holt erstmals Drohnenschwarm vom Himmel",
            "Soldaten der Bundeswehr testeten gestern Abend zwei neue Geräte.",
            "de",
        ),
    ],
)
def test_declared_english_is_refused_when_the_text_is_clearly_not(title: str, text: str, lang: str) -> None:
    assert read(title, "en", text) == lang


def test_a_borrowed_kana_does_not_make_chinese_japanese() -> None:
    assert read("优の良品宣布在上海开设两百家新店并扩大零食生产", "zh") == "zh"


@pytest.mark.parametrize("declared", [None, "en"])
def test_a_text_without_letters_is_of_the_declared_language_or_unknown(declared: str | None) -> None:
    assert read("2025 / 07 / 11", declared) == (declared or "und")


def test_letters_of_a_script_that_we_do_not_know_do_not_decide() -> None:
    assert read("The army ⴰⵣⵓⵍ and the navy") == "en"
    assert read("ⴰⵣⵓⵍ ⴰⵣⵓⵍ") == "und"


@given(st.text(), st.text(), st.none() | st.text(max_size=5) | st.sampled_from(["en", "de", "ru", "zh"]))
def test_any_text_has_a_language_code(title: str, text: str, declared: str | None) -> None:
    found = read(title, declared, text)
    assert found == "und" or (len(found) == 2 and found.isalpha() and found.islower())


def test_english_needs_no_identifier() -> None:
    asked = (
        "import sys; from tests.make import article; from pipeline.stages.language import language\n"
        "title = 'Troops leave the base'\n"
        "assert {language(article(title=title, lang=lang)) for lang in ('en', None)} == {'en'}\n"
        "assert language(article(title='Boeing F-15EX', text='', lang='en')) == 'en'\n"
        "sys.exit('py3langid' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


ENGLISH = "The navy took delivery of the second frigate of its class on Friday and will sail with it in May. "
FRENCH = "La marine a reçu vendredi la deuxième frégate de sa classe et partira avec elle au mois de mai. "
UKRAINIAN = "Військово-морські сили отримали у п’ятницю другий фрегат цього класу і вийдуть на ньому в море. "


@pytest.mark.parametrize(
    ("text", "declared", "expected"),
    [
        pytest.param(ENGLISH, "en-GB", "en-GB", id="as declared"),
        pytest.param(ENGLISH, None, "en", id="not declared"),
        pytest.param(UKRAINIAN, "en-US", "uk", id="declared by the template"),
        pytest.param(FRENCH * 3, None, "fr", id="French"),
        pytest.param("12 345", None, UNKNOWN, id="no letters"),
        pytest.param("12 345", "de", "de", id="no letters, declared"),
        pytest.param(ENGLISH * 8 + FRENCH * 8, "en", MIXED, id="two languages"),
        pytest.param(ENGLISH * 16 + FRENCH * 2, "en", "en", id="a quotation"),
        pytest.param(ENGLISH * 2 + FRENCH, "en", "en", id="a short text"),
        pytest.param(ENGLISH * 20, "mul", "en", id="not mixed as declared"),
    ],
)
def test_a_text_is_tagged_with_what_it_is_written_in(text: str, declared: str | None, expected: str) -> None:
    assert tag("", text, declared) == expected


def test_a_language_that_was_found_before_is_not_looked_for_again() -> None:
    asked = (
        "import sys; from tests.make import article; from pipeline.stages.classify import load\n"
        "for lang, title in (('de', 'Says Minister'), ('fr', 'Le char'), ('en', 'Élysée: zu der Zeit und mit')):\n"
        "    load().classify(article(title=title, text='', lang=lang))\n"
        "sys.exit('py3langid' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


@pytest.mark.parametrize(("lang", "found"), [("nb-NO", "no"), ("de", "de"), ("mul", "en"), (None, "en")])
def test_only_a_found_language_is_settled(lang: str | None, found: str) -> None:
    assert settled(make_article(title="The army said that the navy was there", text="", lang=lang)) == found
