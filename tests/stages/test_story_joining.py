"""Which story a report joins, why, and which stories become one."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import numpy as np
import pytest

from pipeline.stages.forest import Forest
from pipeline.stages.story import Member, Sketch, central, join, pairs, sketch
from pipeline.stages.story.belonging import COLUMNS, SUREST, across, beside, features, logits, shipped, told
from pipeline.stages.story.joining import LEAST, Because, Joined, joined
from pipeline.stages.story.pairs import UNKNOWN

AT = datetime(2026, 3, 4, 6, 30, tzinfo=UTC)
WONSAN = (
    (
        "North Korea fires ballistic missile from Wonsan",
        "North Korea fired a ballistic missile from the Wonsan area toward the East Sea on Wednesday morning, "
        "South Korea's Joint Chiefs of Staff said. It flew some 350 kilometers.",
    ),
    (
        "Seoul: Pyongyang launches missile from Wonsan into East Sea",
        "South Korea's Joint Chiefs of Staff said that a ballistic missile launched by North Korea on Wednesday "
        "from Wonsan had flown 350 kilometers before it fell into the East Sea.",
    ),
    (
        "Japan protests over North Korean missile",
        "Japan protested to North Korea on Wednesday over the ballistic missile that was fired from Wonsan and fell "
        "into the sea outside its economic zone, after a flight of 350 kilometers.",
    ),
)
FLOOD = (
    "Floods cut off villages in Assam",
    "Thousands fled their homes on Wednesday as the Brahmaputra rose above the danger mark near Dibrugarh.",
)


def made(report: tuple[str, str], hours: float = 0, countries: tuple[str, ...] = ("KP", "KR")) -> Sketch:
    return sketch(*report, "en", countries, AT + timedelta(hours=hours))


def by_cosine(bias: float) -> Forest:
    """Trees with one node that sends a report by its mean cosine: far apart below .5, surely one above."""
    return Forest(
        COLUMNS,
        np.array([[0, 0, 0]], np.int16),
        np.array([[0.5, np.inf, np.inf]], np.float32),
        np.array([[1, 1, 2]], np.int16),
        np.array([[0.0, -3.0, 3.0]]),
        1,
        bias,
    )


def test_a_report_joins_the_story_of_its_event_and_says_why() -> None:
    near = [Member(1, 10, made(WONSAN[0])), Member(2, 20, made(FLOOD, 1, ("IN",)))]
    found = join(made(WONSAN[1], 2), near)
    assert found.story_id == 10
    assert found.merged == ()
    assert found.because.score > 0.5
    assert "Wonsan" in found.because.names
    assert "missile" in found.because.terms
    assert found.because.days == (date(2026, 3, 4),)
    assert found.because.countries == ("KP", "KR")


def test_a_report_of_another_event_opens_a_story() -> None:
    found = join(made(FLOOD, 1, ("IN",)), [Member(1, 10, made(WONSAN[0]))])
    assert found.story_id is None
    assert 0 < found.because.score < 0.5


def test_the_first_report_of_all_opens_a_story() -> None:
    assert join(made(FLOOD), []) == Joined(None, (), Because(0.0))


def test_the_same_words_three_weeks_later_are_another_story() -> None:
    assert join(made(WONSAN[0], 24 * 21), [Member(1, 10, made(WONSAN[0]))]).story_id is None


def test_the_order_of_what_is_near_does_not_matter() -> None:
    members = [Member(at, 10 + at, made(report, at)) for at, report in enumerate((*WONSAN, FLOOD))]
    new = made(WONSAN[1], 5)
    assert len({join(new, order) for order in permutations(members)}) == 1


def test_two_stories_that_a_report_shows_to_be_one_become_one_under_the_smallest_id() -> None:
    near = [Member(1, 20, made(WONSAN[0])), Member(2, 10, made(WONSAN[0], 1)), Member(3, 5, made(FLOOD))]
    found = joined(made(WONSAN[0], 2), near, by_cosine(0.0))
    assert (found.story_id, found.merged) == (10, (20,))


def test_two_stories_that_are_not_alike_stay_two() -> None:
    between = (f"{WONSAN[0][0]} {FLOOD[0]}", f"{WONSAN[0][1]} {FLOOD[1]}")
    near = [Member(1, 10, made(WONSAN[0])), Member(2, 20, made(FLOOD, 1))]
    found = joined(made(between, 2), near, by_cosine(0.0))
    assert found.story_id in (10, 20)
    assert found.merged == ()


def test_the_judge_that_ships_knows_the_features_that_there_are() -> None:
    assert shipped().columns == COLUMNS


def test_features_are_the_same_in_either_order() -> None:
    one, other = made(WONSAN[0]), made(WONSAN[2], 5, ("JP",))
    assert pairs.features(one, other) == pytest.approx(pairs.features(other, one))


def test_the_order_of_the_reports_of_a_story_does_not_matter() -> None:
    reports = [made(report, at) for at, report in enumerate((*WONSAN, FLOOD))]
    assert len({features(beside(made(WONSAN[1], 5), told(order))) for order in permutations(reports)}) == 1


def test_a_name_that_no_report_of_a_story_has_is_new_and_one_that_most_have_is_lost() -> None:
    new = made(("Floods in Dibrugarh", "Thousands fled their homes."))
    found = dict(zip(COLUMNS, features(beside(new, told([made(report) for report in WONSAN]))), strict=True))
    same = dict(zip(COLUMNS, features(beside(made(WONSAN[0]), told([made(WONSAN[0])]))), strict=True))
    assert found["new-name"] == max(new.terms[name] for name in new.names)
    assert found["lost-name"] > 0
    assert (same["new-name"], same["lost-name"]) == (0.0, 0.0)


def test_what_a_report_does_not_say_is_unknown_and_not_different() -> None:
    silent = sketch("", "some ballistic missiles", "en", (), AT)
    found = dict(zip(pairs.COLUMNS, pairs.features(silent, made(WONSAN[0])), strict=True))
    assert found["countries"] == UNKNOWN
    assert found["names"] == 0.0
    assert found["undated"] == 1


def test_two_stories_are_compared_as_each_report_beside_the_other_story() -> None:
    one, other = told([made(report, at) for at, report in enumerate(WONSAN)]), told([made(FLOOD, 5)])
    alone = [beside(new, other) for new in one.reports] + [beside(new, one) for new in other.reports]
    assert logits(across(one, other), shipped()) == pytest.approx(logits(alone, shipped()))


def test_a_text_without_terms_is_like_none() -> None:
    assert logits([beside(sketch("", "", "en", (), AT), told([made(WONSAN[0])]))], shipped()) == [-SUREST]


def test_the_central_report_says_most_of_what_all_say() -> None:
    members = [Member(at, 1, made(report, at)) for at, report in enumerate((FLOOD, *WONSAN))]
    assert central(members) in (1, 2, 3)
    assert central(members) == central(members[::-1])


def test_of_like_reports_the_first_is_central() -> None:
    assert central([Member(9, 1, made(WONSAN[0], 1)), Member(3, 1, made(WONSAN[0]))]) == 3


def test_a_report_joins_at_a_lower_score_than_stories_become_one() -> None:
    assert joined(made(WONSAN[0]), [Member(1, 10, made(WONSAN[0]))], by_cosine(LEAST - 2.9)).story_id == 10
    assert joined(made(WONSAN[0]), [Member(1, 10, made(WONSAN[0]))], by_cosine(LEAST - 3.1)).story_id is None
