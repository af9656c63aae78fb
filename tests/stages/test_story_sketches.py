"""Sketches: what is kept of a report is what was made of it, and reports of one event share keys."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.story import Sketch, keys, probes, sketch
from pipeline.stages.story.sketches import KEYS, MOST
from pipeline.stages.story.terms import hashed

AT = datetime(2026, 3, 4, 6, 30, tzinfo=UTC)
TITLE = "North Korea fires missile from Wonsan"
TEXT = (
    "North Korea fired a ballistic missile from the Wonsan area on Wednesday, Seoul's Joint Chiefs of Staff said.\n"
    "The missile flew 350 kilometres. It was the first launch since late January."
)


def made(title: str = TITLE, text: str = TEXT, lang: str | None = "en-GB", at: datetime = AT) -> Sketch:
    return sketch(title, text, lang, ("KP", "KR"), at)


def test_a_sketch_knows_names_title_days_and_countries() -> None:
    found = made()
    wonsan = hashed("wonsan")
    assert next(iter(found.terms)) == wonsan
    assert found.surfaces[wonsan] == "Wonsan"
    assert wonsan in found.names
    assert wonsan in found.titled
    assert hashed("ballistic") not in found.names | found.titled
    assert found.days == (date(2026, 3, 4),)
    assert found.countries == ("KP", "KR")


def test_the_calendar_and_common_words_are_no_terms() -> None:
    found = made()
    assert found.terms.keys().isdisjoint({hashed("wednesday"), hashed("january"), hashed("the")})


def test_a_word_that_is_also_written_small_is_no_name() -> None:
    assert hashed("missil") not in made("North Korea Fires Missile").names


def test_days_are_read_in_english_only() -> None:
    assert made("Rakete aus Wonsan", "Nordkorea schoss am 4 March eine Rakete ab.", "de").days == ()


def test_a_text_in_no_known_language_is_sketched_too() -> None:
    assert made(lang=None).terms


@given(
    st.text(max_size=300),
    st.text(max_size=3000),
    st.sampled_from(["en", "de", "zh", None]),
    st.integers(0, 200 * 365 * 24),
)
def test_what_is_kept_is_what_was_made(title: str, text: str, lang: str | None, hours: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    found = sketch(title, text, lang, ("KP", "KR", "US", "JP", "CN"), at)
    data = found.to_bytes()
    assert len(data) <= 220
    assert Sketch.from_bytes(data, at) == found
    assert len(found.terms) <= MOST
    assert len(keys(found)) <= KEYS
    assert all(0 <= key < 2**47 for key in probes(found))


def test_a_long_report_is_kept_in_few_bytes() -> None:
    words = " ".join(f"Name{number:03d}x on March {number % 28 + 1}" for number in range(300))
    assert 200 < len(made(text=words).to_bytes()) <= 220


def test_a_report_asks_for_what_it_is_kept_under_and_for_what_was_kept_some_days_before_or_after() -> None:
    for days in (0, 3, -3):
        assert set(keys(made(at=AT + timedelta(days)))) <= set(probes(made()))
    assert set(keys(made(at=AT + timedelta(9)))).isdisjoint(probes(made()))


def test_reports_in_two_languages_share_no_key() -> None:
    assert set(keys(made(lang="de"))).isdisjoint(probes(made()))
