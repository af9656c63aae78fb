"""What holds of stories in whatever order their reports are read."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.story import Member, Sketch, join, sketch

AT = datetime(2026, 3, 4, 6, 30, tzinfo=UTC)
PLACES = ("Wonsan", "Dibrugarh", "Jeju", "Itajai", "Feodosiya")
DEEDS = ("fires ballistic missile", "reports floods", "hosts air drill", "launches frigate")


@st.composite
def told(draw: st.DrawFn) -> list[tuple[int, Sketch]]:
    """Reports with ids, in any order; some are of one event."""
    events = draw(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(DEEDS)), min_size=1, max_size=3))
    picked = draw(st.lists(st.tuples(st.sampled_from(events), st.integers(0, 300)), min_size=1, max_size=7))
    found = []
    for key, ((place, deed), hours) in enumerate(picked, start=1):
        title, text = f"{place} {deed} {key}", f"{place} {deed}, officials in {place} said on Wednesday."
        found.append((key, sketch(title, text, "en", (), AT + timedelta(hours=hours))))
    return draw(st.permutations(found))


def grouped(reports: list[tuple[int, Sketch]]) -> dict[int, int]:
    """The story of each report when they are read in that order."""
    homes: dict[int, int] = {}
    sketches = dict(reports)
    for key, new in reports:
        found = join(new, [Member(one, story, sketches[one]) for one, story in homes.items()])
        homes[key] = key if found.story_id is None else found.story_id
        homes |= {one: homes[key] for one, story in homes.items() if story in found.merged}
    return homes


@settings(max_examples=60, deadline=None)
@given(told())
def test_in_any_order_every_report_is_in_one_story_that_has_the_id_of_one_of_its_reports(
    reports: list[tuple[int, Sketch]],
) -> None:
    homes = grouped(reports)
    assert homes.keys() == dict(reports).keys()
    assert all(homes[story] == story for story in homes.values())


@settings(max_examples=60, deadline=None)
@given(told())
def test_in_any_order_a_report_shares_a_term_with_another_of_its_story_within_days(
    reports: list[tuple[int, Sketch]],
) -> None:
    homes, sketches = grouped(reports), dict(reports)
    for key, story in homes.items():
        others = [sketches[one] for one in homes if homes[one] == story and one != key]
        near = [one for one in others if abs(one.published_at - sketches[key].published_at) <= timedelta(days=8)]
        assert not others or any(sketches[key].terms.keys() & one.terms.keys() for one in near)


@settings(max_examples=60, deadline=None)
@given(told())
def test_the_same_order_gives_the_same_stories_whatever_is_known_besides(reports: list[tuple[int, Sketch]]) -> None:
    far = [
        (key + 100, sketch("Sale of hats", "Hats sold well.", "en", (), AT - timedelta(days=60))) for key, _ in reports
    ]
    apart = grouped([pair for both in zip(far, reports, strict=True) for pair in both])
    assert {key: apart[key] for key, _ in reports} == grouped(reports)
