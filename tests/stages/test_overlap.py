"""What two polls of a feed have in common, and what is missing between them."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Entry, FeedState, Gap
from pipeline.stages.overlap import MOST_MARKS, gap_before, known_share, marks_of
from tests import make
from tests.make import AT

HOUR = timedelta(hours=1)
LATER = AT + 24 * HOUR


def seen(*entries: Entry, newest_at: bool = True) -> FeedState:
    return make.state(seen=marks_of(entries), newest_at=AT - HOUR if newest_at else None)


def test_an_entry_with_a_link_of_its_own_is_recognised_by_it_whatever_its_id() -> None:
    assert marks_of([make.entry(1, id="a")]) == marks_of([make.entry(1, id="b")])
    assert marks_of([make.entry(1)]) != marks_of([make.entry(2)])


def test_entries_that_share_a_link_are_recognised_by_their_ids() -> None:
    one, two = (make.entry(1, id=name) for name in "ab")
    assert len(marks_of([one, two])) == 2
    other = replace(two, id="c")
    assert marks_of([one, two]) & marks_of([one, other])
    assert not marks_of([one, two]) & marks_of([replace(one, id="d"), other])


def test_an_entry_without_a_link_is_recognised_by_its_id() -> None:
    assert marks_of([Entry("a", None)]) != marks_of([Entry("b", None)])


@given(st.lists(st.builds(Entry, st.text(max_size=3), st.sampled_from([None, "https://a.example/1", "mailto:x"]))))
def test_there_are_never_more_marks_than_entries(entries: list[Entry]) -> None:
    assert len(marks_of(entries)) <= len(entries)
    assert all(len(mark) == 10 for mark in marks_of(entries))


def test_of_a_giant_feed_the_newest_entries_are_remembered() -> None:
    giant = [make.entry(n) for n in range(MOST_MARKS + 5)]
    assert marks_of(giant) == marks_of(giant[:MOST_MARKS])


def test_one_entry_in_common_is_enough() -> None:
    assert gap_before(seen(make.entry(5), make.entry(6)), [make.entry(1), make.entry(5)], LATER) is None


def test_the_known_share_counts_what_both_polls_held() -> None:
    before = seen(make.entry(5), make.entry(6))
    assert known_share(before, [make.entry(n) for n in (3, 4, 5, 6)]) == 0.5
    assert known_share(before, []) == known_share(FeedState(), [make.entry(1)]) == 0


def test_a_gap_reaches_from_the_newest_known_entry_to_the_oldest_new_one() -> None:
    fresh = [make.entry(n, published_at=AT + n * HOUR) for n in (9, 7)]
    assert gap_before(seen(make.entry(5)), fresh, LATER) == Gap(AT - HOUR, AT + 7 * HOUR)


def test_without_usable_dates_a_gap_reaches_from_poll_to_poll() -> None:
    undated, ahead = make.entry(7, published_at=None), make.entry(8, published_at=LATER + HOUR)
    old = make.entry(9, published_at=AT - 99 * HOUR)
    assert gap_before(seen(make.entry(5), newest_at=False), [undated, ahead], LATER) == Gap(AT, LATER)
    assert gap_before(seen(make.entry(5)), [old], LATER) == Gap(AT, LATER)
    never = replace(seen(make.entry(5), newest_at=False), last_success_at=None)
    assert gap_before(never, [undated], LATER) == Gap(LATER, LATER)


def test_a_first_poll_and_an_empty_feed_leave_no_gap() -> None:
    assert gap_before(FeedState(), [make.entry(1)], LATER) is None
    assert gap_before(seen(make.entry(5)), [], LATER) is None
