"""How good a classifier is: the figures against known answers, their intervals, and what is done with bad lines."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.entrypoints.evaluate import Interval, Item, auc, bootstrap, calibration_error, f1, figures, wilson
from tests.running import Place, place


def item(is_yes: bool | None, score: float, *, needs_review: bool = False) -> Item:
    return Item(is_yes, score >= 0.5, score, needs_review, None, None)


def items(*pairs: tuple[bool | None, float]) -> list[Item]:
    return sorted((item(*pair) for pair in pairs), key=lambda found: found.score)


ITEMS = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=40).map(lambda pairs: items(*pairs))


def test_a_share_has_the_interval_of_wilson() -> None:
    """The worked example of Newcombe, "Two-sided confidence intervals", Statistics in Medicine 1998: 81 of 263."""
    share, low, high = wilson(81, 263) or (0, 0, 0)
    assert (round(share, 4), round(low, 4), round(high, 4)) == (0.308, 0.2553, 0.3662)
    assert wilson(0, 0) is None


@given(st.integers(0, 200), st.integers(1, 200))
def test_the_interval_of_a_share_holds_it(hits: int, n: int) -> None:
    share, low, high = wilson(min(hits, n), n) or (0, 0, 0)
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1


def test_f1_is_the_harmonic_mean() -> None:
    found = items((True, 0.9), (True, 0.8), (True, 0.1), (False, 0.7), (False, 0.2))
    precision, recall = 2 / 3, 2 / 3
    assert f1(found) == pytest.approx(2 * precision * recall / (precision + recall))
    assert f1(items((False, 0.1))) is None
    assert f1(items((True, 0.1))) == 0


def test_auc_counts_pairs_in_order_and_ties_half() -> None:
    assert auc(items((True, 0.9), (False, 0.1))) == 1
    assert auc(items((True, 0.1), (False, 0.9))) == 0
    assert auc(items((True, 0.5), (False, 0.5))) == 0.5
    assert auc(items((True, 0.9), (True, 0.4), (False, 0.4), (False, 0.2))) == 3.5 / 4
    assert auc(items((True, 0.9))) is None


@given(ITEMS)
def test_auc_is_the_share_of_pairs_in_order(found: list[Item]) -> None:
    pairs = [(yes.score, no.score) for yes in found for no in found if yes.is_yes and not no.is_yes]
    won = sum((yes > no) + (yes == no) / 2 for yes, no in pairs)
    assert auc(found) == (pytest.approx(won / len(pairs)) if pairs else None)


def test_scores_that_are_the_shares_have_no_calibration_error() -> None:
    """Ten bins of ten: in the one that scores .2, two are a yes."""
    exact = [(n < tenth, tenth / 10) for tenth in range(10) for n in range(10)]
    assert calibration_error(items(*exact)) == pytest.approx(0)
    assert calibration_error(items(*((not is_yes, score) for is_yes, score in exact))) == pytest.approx(0.5)
    assert calibration_error([]) is None


@settings(max_examples=20)  # each draws thousands of samples
@given(ITEMS)
def test_an_interval_is_the_same_at_every_run_and_in_order(found: list[Item]) -> None:
    first: Interval | None = bootstrap(calibration_error, found)
    assert first == bootstrap(calibration_error, found)
    assert first is not None
    assert first[1] <= first[2]


def test_borderline_items_count_only_in_their_own_figure() -> None:
    firm = [item(True, 0.9), item(False, 0.2), item(False, 0.6, needs_review=True)]
    row = figures([*firm, item(None, 0.5), item(None, 0.3), item(None, 0.9)])
    assert (row["n"], row["positives"], row["borderline"]) == (3, 1, 3)
    assert (row["precision"], row["recall"], row["in_review"]) == (0.5, 1.0, 0.3333)
    assert (row["f1"], row["f1_outside_review"]) == (0.6667, 1.0)
    assert row["borderline_uncertain"] == 0.6667
    assert figures(firm) == {**row, "borderline": 0} | dict.fromkeys(
        ("borderline_uncertain", "borderline_uncertain_low", "borderline_uncertain_high")
    )


GOOD = (
    {"title": "Army buys tanks", "text": "The army signed a contract for 100 battle tanks.", "label": 1, "lang": "en"},
    {"title": "Air force flies drill", "label": "yes", "register": "wire"},
    {"title": "Bakery wins prize", "text": "Bread.", "label": 0, "lang": "en", "register": "wire"},
    {"title": "Cake", "label": "no", "lang": None},
    {"title": "Chess defence", "label": "borderline"},
    {"title": "Tank museum", "label": None},
)


@pytest.fixture
def here(tmp_path: Path) -> Place:
    made = place(tmp_path)
    (made.directory / "good.jsonl").write_text("\n".join(map(json.dumps, GOOD)) + "\n\n")
    return made


async def test_the_total_and_each_language_and_register_have_their_figures(here: Place) -> None:
    ended = await here.run("evaluate", "good.jsonl")
    assert ended.code == 0, ended.err
    found = {row["part"]: (row["n"], row["positives"], row["borderline"]) for row in ended.rows}
    assert found == {"all": (4, 2, 2), "lang en": (2, 1, 0), "register wire": (2, 1, 0)}
    assert ended.rows[0]["auc"] == 1.0
    assert ended.rows[0]["precision_low"] < ended.rows[0]["precision"]
    assert (await here.run("evaluate", "good.jsonl")).out == ended.out


async def test_a_table_has_a_line_a_figure_and_csv_a_line_a_part(here: Place) -> None:
    table = (await here.run("evaluate", "good.jsonl", "--format", "table")).out
    assert "calibration error" in table
    rows = list(csv.DictReader(io.StringIO((await here.run("evaluate", "good.jsonl", "--format", "csv")).out)))
    assert [row["part"] for row in rows] == ["all", "lang en", "register wire"]


async def test_several_files_are_one_set(here: Place) -> None:
    assert (await here.run("evaluate", "good.jsonl", "good.jsonl")).rows[0]["n"] == 8


async def test_a_bad_line_is_told_with_file_line_and_why_and_the_rest_counts(here: Place) -> None:
    bad = ('{"title": "x", "label": "maybe"}', '{"title": 5, "label": 1}', "no json", "[1]", '{"title": "x"}')
    (here.directory / "bad.jsonl").write_text("\n".join((json.dumps(GOOD[0]), *bad, '{"label": [1]}')))
    ended = await here.run("evaluate", "bad.jsonl")
    assert (ended.code, ended.rows[0]["n"]) == (1, 1)
    told = ended.err.splitlines()
    assert [line.split(": ")[1] for line in told] == [f"bad.jsonl, line {n}" for n in range(2, 8)]
    for line, why in zip(told, ("maybe", "title", "Expecting", "expected", "'label' is missing", "[1]"), strict=True):
        assert why in line


async def test_nothing_to_evaluate_is_an_error(here: Place) -> None:
    (here.directory / "empty.jsonl").write_text("\n")
    for name in ("empty.jsonl", "missing.jsonl"):
        ended = await here.run("evaluate", name)
        assert (ended.code, ended.out) == (1, "")
        assert "Traceback" not in ended.err
