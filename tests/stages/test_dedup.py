"""Near-duplicates: what copies of a text share, and what only looks like a copy."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.dedup import (
    FEWEST_RUNS,
    MARK_BITS,
    MARKS,
    RUN,
    Fingerprint,
    Kin,
    Kinship,
    fingerprint,
    kin,
    says_more,
)

WORDS = [f"word{a}{b}" for a in "abcdefghij" for b in "klmnopqrst"]
texts = st.lists(st.sampled_from(WORDS), min_size=RUN + FEWEST_RUNS, max_size=60).map(" ".join)
fingerprints = st.builds(
    fingerprint, st.sampled_from(["a.example", "b.example"]), st.sampled_from(["", "Drill"]), texts
)

BODY = [
    "South Korea, the United States and Japan staged a combined air drill on Friday near Jeju Island.",
    "A B-52H bomber flew with fighters of all three countries, the ministry in Seoul said in a statement.",
    "The exercise came after a meeting of the chairmen of their joint chiefs of staff.",
    "They condemned the build-up of nuclear and missile programmes in the North.",
    "Pyongyang has called such flights a rehearsal for invasion and warned of a response.",
    "Analysts expect another launch of a ballistic missile before the end of the month.",
    "The allies want to hold Freedom Edge, their multi-domain exercise, for a third time in autumn.",
    "A spokesman declined to say how many aircraft had taken part or where they had taken off.",
    "Residents of the island reported the sound of jets for most of the afternoon.",
    "Beijing urged all sides to show restraint and to return to talks.",
]
FRAME = ["Sign up to our newsletter for the morning briefing.", "Copyright Media Group, all rights reserved."]


def printed(*sentences: str, site: str = "a.example", title: str = "Allies fly joint drill") -> Fingerprint:
    return fingerprint(site, title, "\n".join(sentences))


def edited(*at: int) -> list[str]:
    return [" ".join(reversed(line.split())) if n in at else line for n, line in enumerate(BODY)]


@given(fingerprints, fingerprints)
def test_kin_is_symmetric(one: Fingerprint, other: Fingerprint) -> None:
    assert kin(one, other) == kin(other, one)


@given(st.lists(st.sampled_from([*BODY, *FRAME, "On 3 May 12 of 40 jets met."]), min_size=2), st.randoms())
def test_kin_is_symmetric_where_texts_share_sentences(lines: list[str], chance: random.Random) -> None:
    one, two = printed(*lines), printed(*chance.sample(lines, len(lines) - 1), site="b.example")
    assert kin(one, two) == kin(two, one)


@given(texts, st.booleans())
def test_a_text_is_kin_to_itself_whatever_the_site(text: str, is_elsewhere: bool) -> None:
    runs = fingerprint("a.example", "Drill", text).runs
    other = fingerprint("b.example" if is_elsewhere else "a.example", "Drill", text.upper().replace(" ", ", "))
    same = kin(fingerprint("a.example", "Drill", text), other)
    assert same == (Kin(Kinship.SAME, 1.0) if len(runs) >= FEWEST_RUNS else None)


@given(st.text() | st.text(st.characters(max_codepoint=127)))
def test_the_words_of_a_text_are_the_same_however_hard_the_rest_of_it_is_to_take_apart(text: str) -> None:
    words = fingerprint("a.example", text, "").title
    assert fingerprint("a.example", f"{text} \N{HANGUL SYLLABLE HAN}", "").title == words | {"\N{HANGUL SYLLABLE HAN}"}
    assert fingerprint("a.example", f"{text} \u767a", "").title == words | {"\u767a"}


@given(st.text())
def test_any_text_has_a_fingerprint_with_few_marks_in_order(text: str) -> None:
    made = fingerprint("a.example", text, text)
    assert list(made.marks) == sorted(set(made.marks))
    assert len(made.marks) <= MARKS
    assert all(0 <= mark < 2**MARK_BITS for mark in made.marks)
    assert made.lead <= made.runs


@pytest.mark.parametrize(
    ("copy", "kinship"),
    [
        pytest.param(BODY, Kinship.SAME, id="word for word"),
        pytest.param(edited(4), Kinship.NEAR, id="one sentence of ten rewritten"),
        pytest.param(edited(2, 7), Kinship.NEAR, id="two sentences of ten rewritten"),
        pytest.param(BODY[:7], Kinship.SYNDICATED, id="cut from below"),
        pytest.param([BODY[0], *BODY[2:5], *BODY[6:9]], Kinship.SYNDICATED, id="paragraphs dropped"),
        pytest.param([*FRAME, *BODY, *FRAME], Kinship.SYNDICATED, id="framed"),
        pytest.param([FRAME[0], *BODY], Kinship.NEAR, id="under one line of the site"),
        pytest.param([*BODY[:7], *FRAME], Kinship.NEAR, id="cut and framed"),
    ],
)
def test_a_copy_under_another_title_is_kin(copy: list[str], kinship: Kinship) -> None:
    found = kin(printed(*BODY), printed(*copy, site="b.example", title="Bomber seen over island"))
    assert found is not None
    assert found.kinship is kinship
    assert 0.55 <= found.shared <= 1


@pytest.mark.parametrize("copy", [edited(4), BODY[:7], [FRAME[0], *BODY, FRAME[1]]], ids=["edited", "cut", "framed"])
def test_a_copy_shares_a_mark(copy: list[str]) -> None:
    assert set(printed(*BODY).marks) & set(printed(*copy).marks)


def test_a_report_of_the_same_event_in_other_words_is_none() -> None:
    other = "Three allies sent fighters and a strategic bomber over waters south of the peninsula, officials said."
    assert kin(printed(*BODY), printed(other, other.replace("Three", "The"))) is None


def test_a_report_with_news_of_its_own_above_the_same_background_is_none() -> None:
    news = [" ".join(reversed(line.split())) for line in BODY[:4]]
    assert kin(printed(*BODY), printed(*news, *BODY[4:])) is None


@pytest.mark.parametrize(
    ("site", "own", "is_more"),
    [
        ("b.example", 2, False),
        ("b.example", 6, True),
        ("a.example", 0, False),
        ("a.example", 2, True),
    ],
)
def test_a_copy_with_much_of_its_own_says_more_and_least_is_needed_at_home(site: str, own: int, is_more: bool) -> None:
    lines = [" ".join(reversed(line.split())) for line in BODY[:own]]
    longer = printed(*BODY, *lines, site=site)
    assert says_more(longer, printed(*BODY)) is is_more
    assert not says_more(printed(*BODY, site=site), longer)


def test_a_text_that_quotes_two_paragraphs_of_another_is_none() -> None:
    assert kin(printed(*BODY), printed(*BODY[:2])) is None


def test_a_text_of_a_few_words_is_never_compared() -> None:
    flash = printed("Jets were scrambled over the island tonight.")
    assert flash.marks == ()
    assert kin(flash, flash) is None
    assert kin(printed(""), printed("")) is None


def report(aircraft: int, ships: int, drones: int, words: int = 20) -> Fingerprint:
    rest = " ".join(WORDS[:words])
    seen = f"By six in the morning {aircraft} aircraft, {ships} ships and {drones} drones had come near."
    return printed("The ministry of defense keeps watching the strait closely and informs daily.", seen, rest)


def test_a_form_that_is_filled_anew_with_other_numbers_is_none() -> None:
    assert kin(report(12, 34, 7), report(15, 41, 9)) is None


def test_a_form_with_mostly_the_same_numbers_is_a_copy() -> None:
    assert kin(report(12, 34, 7), report(12, 34, 9)) is not None


def test_numbers_do_not_matter_where_nearly_all_words_are_the_same() -> None:
    assert kin(report(12, 34, 7, words=100), report(15, 41, 9, words=100)) is not None


NOTICE = "Thank you for visiting our site; to read on please subscribe to one of the plans below or sign in to it."


@pytest.mark.parametrize(
    ("site", "title", "is_kin"),
    [
        pytest.param("a.example", "Minister visits shipyard", False, id="another title on the same site"),
        pytest.param("a.example", "Allies fly a joint drill", True, id="nearly the same title on the same site"),
        pytest.param("b.example", "Minister visits shipyard", True, id="another title elsewhere"),
    ],
)
def test_what_a_site_shows_in_place_of_articles_is_told_by_its_titles(site: str, title: str, is_kin: bool) -> None:
    assert (kin(printed(NOTICE), printed(NOTICE, site=site, title=title)) is not None) is is_kin


CHINESE = (
    "韩国、美国和日本星期五在济州岛附近举行了联合空中演习，一架战略轰炸机参加了演习。三国参谋长在首尔会晤，"
    "谴责朝鲜的核计划和导弹计划。平壤称此类飞行是入侵的预演，并警告将作出回应。"
)
JAPANESE = (
    "韓国軍とアメリカ軍、それに自衛隊は金曜日、済州島の近くで共同の飛行訓練を行った。爆撃機も加わった。"
    "三か国の制服組トップはソウルで会談し、北朝鮮の核とミサイルの開発を非難した。"
)
THAI = "เกาหลีใต้ สหรัฐ และญี่ปุ่นจัดการฝึกทางอากาศร่วมกันใกล้เกาะเชจูเมื่อวันศุกร์ โดยมีเครื่องบินทิ้งระเบิดเข้าร่วมด้วย"


@pytest.mark.parametrize("text", [CHINESE, JAPANESE, THAI], ids=["Chinese", "Japanese", "Thai"])
def test_scripts_without_spaces_are_compared_by_letters(text: str) -> None:
    cut = text[: round(len(text) * 0.7)]
    found = kin(printed(text), printed(cut, site="b.example"))
    assert found == Kin(Kinship.SYNDICATED, 1.0)
    assert kin(printed(CHINESE), printed(JAPANESE)) is None
