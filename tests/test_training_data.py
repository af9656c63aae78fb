"""Our own labelled texts: well-formed, paired as they say, in no text twice; and the calibration is made from them."""

import json
from collections import Counter, defaultdict
from datetime import datetime
from importlib import resources
from pathlib import Path

import pytest

from pipeline.entrypoints.training import TOPICS, item_rows
from pipeline.query.countries import COUNTRIES
from pipeline.stages.classify.dictionary import Labelled, calibrate

TRAINING = Path(__file__).parent.parent / "training"
FILES = sorted((TRAINING / "items").glob("*.tsv")) + sorted((TRAINING / "heldout").glob("*.tsv"))
REGISTERS = {"headline", "summary", "wire", "trade", "official", "article"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_item_is_well_formed(path: Path) -> None:
    for row in item_rows(path):
        topics = row["topics"].split(",")
        assert row["register"] in REGISTERS, row["id"]
        assert row["label"] != "yes" or set(topics) <= set(TOPICS), row["id"]
        assert row["label"] != "no" or topics == ["-"], row["id"]
        assert row["countries"] == "-" or set(row["countries"].split(",")) <= set(COUNTRIES), row["id"]
        assert row["title"].strip(), row["id"]


def test_no_title_is_in_two_places() -> None:
    titles = Counter(row["title"].casefold() for path in FILES for row in item_rows(path))
    assert [title for title, count in titles.items() if count > 1] == []


def test_pairs_stay_within_one_file() -> None:
    places = defaultdict(set)
    for path in FILES:
        for row in item_rows(path):
            if row["pair"] != "-":
                places[row["pair"]].add(path)
    assert [pair for pair, found in places.items() if len(found) > 1] == []


def test_held_out_pairs_hold_one_of_each_side() -> None:
    sides = defaultdict(list)
    for row in item_rows(TRAINING / "heldout" / "boundaries.tsv"):
        sides[row["pair"]].append(row["label"])
    assert {tuple(sorted(labels)) for labels in sides.values()} == {("no", "yes")}


def test_the_calibration_that_ships_is_made_from_our_items() -> None:
    sides = {"yes": 1, "no": 0, "borderline": None}
    items = [
        Labelled(path.stem, row["title"], row["text"], sides[row["label"]])
        for path in FILES
        if len(path.stem) == len("en")
        for row in item_rows(path)
    ]
    shipped = resources.files("pipeline.stages.classify").joinpath("dictionaries", "calibration.tsv")
    assert calibrate(items) == shipped.read_text(encoding="utf-8")


STORIES = sorted((TRAINING / "stories").glob("*.jsonl"))


def story_rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("path", [*STORIES, TRAINING / "heldout" / "stories.jsonl"], ids=lambda path: path.stem)
def test_every_report_is_well_formed(path: Path) -> None:
    for row in story_rows(path):
        assert row.keys() - {"copy_of"} == {"story", "outlet", "domain", "at", "title", "text"}, row["title"]
        assert datetime.fromisoformat(row["at"]).tzinfo is not None, row["title"]
        assert row["domain"].endswith(".example"), row["title"]
        assert row["title"].strip(), row["story"]
        assert row["text"].strip(), row["title"]


def test_there_are_as_many_stories_as_the_figures_are_about() -> None:
    assert len({row["story"] for path in STORIES for row in story_rows(path)}) >= 120
    assert len({row["story"] for row in story_rows(TRAINING / "heldout" / "stories.jsonl")}) >= 48


def test_no_report_that_is_held_out_is_learnt_from() -> None:
    learnt = {row["text"] for path in STORIES for row in story_rows(path)}
    assert learnt.isdisjoint(row["text"] for row in story_rows(TRAINING / "heldout" / "stories.jsonl"))
