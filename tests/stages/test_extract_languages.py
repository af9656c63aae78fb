"""Pages in the languages of our readers -> whom and what day their lines below the headline name."""

from datetime import UTC, datetime

import pytest

from pipeline.model import Page
from pipeline.stages import markup
from pipeline.stages.extract.metadata import Facts, facts

SEEN = datetime(2026, 1, 1, tzinfo=UTC)
URL = "https://news.example/x/1"
DAY, LATER = "2025-03-14", "2025-03-15"


def read(lang: str, below: str) -> Facts:
    body = f"<h1>X9 Q7</h1>{below}<p>{'La nave ' * 60}</p>"
    source = f"<html lang='{lang}'><head><title>X9 Q7 | K</title></head><body>{body}</body></html>"
    return facts(
        markup.parse(source, URL), Page(URL, source.encode(), "text/html; charset=utf-8", SEEN), has_date=False
    )


@pytest.mark.parametrize(
    ("lang", "below", "authors", "published", "updated"),
    [
        (
            "ko",
            "<p>김철수 기자 입력 2025.03.14 09:30 수정 2025.03.15 10:00</p>",
            ("김철수",),
            DAY,
            LATER,
        ),
        (
            "ko",
            "<p>(서울=가나뉴스) 김철수 이영희 기자 = 새 구축함이 왔다.</p><p>송고시간 2025-03-14 09:30</p>",
            ("김철수", "이영희"),
            DAY,
            None,
        ),
        (
            "ko",
            "<dl><dt>작성자</dt><dd>홍보담당관</dd><dt>등록일</dt><dd>2025-03-14</dd><dt>조회수</dt><dd>1234</dd></dl>",
            (),
            DAY,
            None,
        ),
        ("ko", "<p>2025년 3월 14일 (금) 오전 9:30</p><p>글=박민수 선임기자</p>", ("박민수",), DAY, None),
        ("ja", "<p>2025年3月14日 9時30分</p><p>記者 山田太郎</p>", ("山田太郎",), DAY, None),
        ("ja", "<p>令和7年3月14日</p><p>防衛省</p>", (), DAY, None),
        ("ja", "<p>文：佐藤花子</p><p>公開日：2025/03/14　更新日：2025/03/16</p>", ("佐藤花子",), DAY, "2025-03-16"),
        ("zh", "<p>来源：海防日报 作者：王小明 责任编辑：李强 发布：2025-03-14 09:30</p>", ("王小明",), DAY, None),
        ("zh", "<p>2025年03月14日 09:30 | 来源：海防网</p><p>记者 王小明 张伟</p>", ("王小明", "张伟"), DAY, None),
        ("zh-TW", "<p>記者王小明／台北報導</p><p>2025/03/14 09:30</p>", ("王小明",), DAY, None),
        ("zh-TW", "<p>中華民國114年3月14日</p>", (), DAY, None),
        ("zh", "<p>时间：2025-03-14 来源：国防部网 作者：王小明、张伟</p>", ("王小明", "张伟"), DAY, None),
        ("ru", "<p>14 марта 2025, 09:30</p><p>Автор: Иван Петров</p>", ("Иван Петров",), DAY, None),
        ("ru", "<p>14.03.2025 | 09:30</p><p>Иван Петров, корреспондент</p>", ("Иван Петров",), DAY, None),
        (
            "ru",
            "<p>Опубликовано: 14 марта 2025 г. Обновлено: 15 марта 2025 г.</p><p>Текст: Иван Петров, Анна Смирнова</p>",
            ("Иван Петров", "Анна Смирнова"),
            DAY,
            LATER,
        ),
        ("uk", "<p>14 березня 2025, 09:30</p><p>Автор: Олена Шевченко</p>", ("Олена Шевченко",), DAY, None),
        ("uk", "<p>Олена Шевченко — П'ятниця, 14 березня 2025, 09:30</p>", ("Олена Шевченко",), DAY, None),
        (
            "uk",
            "<p>Автори: Олена Шевченко та Іван Коваль</p><p>14.03.2025</p>",
            ("Олена Шевченко", "Іван Коваль"),
            DAY,
            None,
        ),
        ("ar", "<p>كتب: أحمد علي</p><p>الجمعة 14 مارس 2025 - 09:30</p>", ("أحمد علي",), DAY, None),
        ("ar", "<p>بقلم أحمد علي</p><p>نشر في: ١٤ مارس ٢٠٢٥</p>", ("أحمد علي",), DAY, None),
        ("ar", "<p>14 آذار/مارس 2025</p><p>كتبت: سارة حسن</p>", ("سارة حسن",), DAY, None),
        ("ar", "<p>14/3/2025</p><p>آخر تحديث: 15/3/2025</p>", (), DAY, LATER),
        ("fa", "<p>۲۴ اسفند ۱۴۰۳ - ۰۹:۳۰</p>", (), DAY, None),
        ("he", "<p>מאת: דנה כהן</p><p>פורסם: 14.03.25, 09:30</p>", ("דנה כהן",), DAY, None),
        ("he", "<p>דנה כהן | 14 במרץ 2025, 09:30</p>", ("דנה כהן",), DAY, None),
        ("he", "<p>מאת דנה כהן ויוסי לוי</p><p>14/03/2025</p>", ("דנה כהן", "יוסי לוי"), DAY, None),
        (
            "de",
            "<p>Von Erika Beispiel und Max Muster</p><p>Stand: 14.03.2025, 09:30 Uhr</p>",
            ("Erika Beispiel", "Max Muster"),
            DAY,
            DAY,
        ),
        (
            "de",
            "<p>14. März 2025, 9:30 Uhr</p><p>Ein Bericht von Erika Beispiel, Berlin</p>",
            ("Erika Beispiel",),
            DAY,
            None,
        ),
        ("de", "<p>Datum: 14.03.2025 Ort: Berlin Lesedauer: 3 MIN</p>", (), DAY, None),
        ("de", "<p>Text: Erika Beispiel Fotos: Max Muster</p><p>14.03.25</p>", ("Erika Beispiel",), DAY, None),
        (
            "fr",
            "<p>Par Jeanne Exemple et Luc Modèle</p><p>Publié le 14 mars 2025, mis à jour le 15 mars 2025</p>",
            ("Jeanne Exemple", "Luc Modèle"),
            DAY,
            LATER,
        ),
        ("fr", "<p>Jeanne Exemple, avec AFP</p><p>14/03/2025 à 09:30</p>", ("Jeanne Exemple",), DAY, None),
        ("fr", "<p>Mis en ligne le 14 mars 2025 par la rédaction</p>", (), DAY, None),
        (
            "es",
            "<p>Por Juana Ejemplo y Luis Modelo</p><p>14 de marzo de 2025 - 09:30</p>",
            ("Juana Ejemplo", "Luis Modelo"),
            DAY,
            None,
        ),
        ("es", "<p>Viernes, 14 de marzo del 2025. Actualizado: 15/03/2025</p><p>Redacción</p>", (), DAY, LATER),
        ("pl", "<p>14 marca 2025, 09:30</p><p>Autor: Anna Przykład</p>", ("Anna Przykład",), DAY, None),
        ("pl", "<p>14.03.2025 r.</p><p>Tekst: Anna Przykład, zdjęcia: Jan Wzór</p>", ("Anna Przykład",), DAY, None),
        (
            "pl",
            "<p>Opublikowano 14 marca 2025. Aktualizacja: 15 marca 2025</p><p>Opracowała: Anna Przykład</p>",
            ("Anna Przykład",),
            DAY,
            LATER,
        ),
        ("tr", "<p>14 Mart 2025 Cuma 09:30</p><p>Yazan: Ayşe Örnek</p>", ("Ayşe Örnek",), DAY, None),
        (
            "tr",
            "<p>Haber: Ayşe Örnek</p><p>Giriş: 14.03.2025 - 09:30 Güncelleme: 15.03.2025 - 10:00</p>",
            ("Ayşe Örnek",),
            DAY,
            LATER,
        ),
        ("it", "<p>di Anna Esempio</p><p>14 marzo 2025 alle 09:30</p>", ("Anna Esempio",), DAY, None),
        ("pt", "<p>Por Ana Exemplo</p><p>14/03/2025 às 09h30</p>", ("Ana Exemplo",), DAY, None),
        ("en", "<p>March 14, 2025 | By Spc. Jane Doe, 3rd Infantry Division</p>", ("Jane Doe",), DAY, None),
        ("en", "<p>WASHINGTON — Friday, 14 Mar 2025</p><p>Story by Staff Sgt. Jane Doe</p>", ("Jane Doe",), DAY, None),
        ("en", "<p>03.14.2025</p><p>Courtesy Story</p>", (), DAY, None),
        ("en", "<p>Fri Mar 14 2025 09:30:00 GMT+0000</p><p>Press release</p>", (), DAY, None),
        ("hi", "<p>14 मार्च 2025</p><p>द्वारा राहुल शर्मा</p>", ("राहुल शर्मा",), DAY, None),
        ("nl", "<p>Door Jan Voorbeeld</p><p>14 maart 2025</p>", ("Jan Voorbeeld",), DAY, None),
        ("cs", "<p>Autor: Jana Příkladová</p><p>14. března 2025 9:30</p>", ("Jana Příkladová",), DAY, None),
        ("cs", "<p>14. 3. 2025</p>", (), DAY, None),
        ("fi", "<p>14.3.2025 9.30</p><p>Teksti: Maija Malli</p>", ("Maija Malli",), DAY, None),
        ("sv", "<p>Publicerad 14 mars 2025</p><p>Text: Anna Exempel</p>", ("Anna Exempel",), DAY, None),
    ],
)
def test_authors_and_days_are_read_in_many_languages(
    lang: str, below: str, authors: tuple[str, ...], published: str, updated: str | None
) -> None:
    told = read(lang, below)
    assert told.authors == authors
    assert told.published is not None
    assert told.published.at.date().isoformat() == published
    assert (told.updated_at and told.updated_at.date().isoformat()) == updated


@pytest.mark.parametrize(
    ("lang", "below"),
    [
        pytest.param("en", "<p>Mar 14, 2025 | Products Liability</p><a rel='tag'>Products Liability</a>", id="tag"),
        pytest.param(
            "en", "<p>Mar 14, 2025 | Naval Guns</p><p>He saw naval guns there.</p>", id="written small elsewhere"
        ),
        pytest.param("en", "<p>By 3rd Infantry Division</p>", id="unit"),
        pytest.param("en", "<p>Mar 14, 2025 | Press Release</p>", id="kind of text"),
        pytest.param("de", "<p>14.03.2025</p><p>Foto: Max Muster</p>", id="photographer"),
        pytest.param("ko", "<p>2025-03-14</p><p>등록일</p>", id="word beside a day"),
        pytest.param("zh", "<p>2025-03-14</p><p>来源：海防网</p>", id="source"),
        pytest.param("zh", "<p>作者：编辑部</p>", id="editors"),
        pytest.param("ru", "<p>14.03.2025</p><p>Пресс-служба Округа</p>", id="press service"),
        pytest.param("ar", "<p>14/3/2025</p><p>آخر تحديث</p>", id="label"),
    ],
)
def test_what_is_no_person_is_no_author(lang: str, below: str) -> None:
    assert read(lang, below).authors == ()


@pytest.mark.parametrize(
    ("below", "authors"),
    [
        pytest.param(
            "<ul><li><a href=/author/1>Jane Doe</a></li><li><a href=/author/2>John Roe</a></li></ul>",
            ("Jane Doe", "John Roe"),
            id="links in one list",
        ),
        pytest.param("<p><a href='/library?author=1'>Jane Doe</a></p>", ("Jane Doe",), id="link of a library"),
        pytest.param("<footer><a rel=author>Jane Doe</a></footer>", (), id="foot of the page"),
        pytest.param(
            "<article><footer><a rel=author>Jane Doe</a></footer></article>", ("Jane Doe",), id="of the article"
        ),
        pytest.param(
            "<meta name=author content='Jane Doe'><p>Jane Doe, John Roe and Jim Poe</p>",
            ("Jane Doe", "John Roe", "Jim Poe"),
            id="more than the page tells",
        ),
        pytest.param(
            "<meta name=author content='Jane Doe'><p>Jane Doe, who met John Roe and saw how he worked</p>",
            ("Jane Doe",),
            id="a sentence",
        ),
    ],
)
def test_several_authors_are_named_together(below: str, authors: tuple[str, ...]) -> None:
    assert read("en", below).authors == authors


@pytest.mark.parametrize(
    ("lang", "below"),
    [
        ("en", "<p>The end of this season for most ships is May 15, 2025, "
        "and a little later for all others that lie in the yard and wait for their crews.</p>"),
        ("zh", "<p>据该部新闻局介绍，这艘新型护卫舰于2025年3月1日在北方某船厂完成建造并下水，"
        "随后将转入系泊试验和航行试验阶段，预计明年正式加入舰队服役并担负远海护航任务。</p>"),
    ],
    ids=["English", "Chinese"],
)  # fmt: skip
def test_a_day_in_a_sentence_is_not_the_articles(lang: str, below: str) -> None:
    assert read(lang, below).published is None
