"""`train`: from a folder of labelled texts to a model that `classify` uses; what is missing is named."""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.entrypoints import training
from pipeline.errors import CommandError
from pipeline.stages.classify import load, weights
from pipeline.stages.classify.lexicon import Vectors
from pipeline.store import Said, open_store
from tests import make
from tests.make import article
from tests.running import place
from tests.store.filling import fill

SOURCES = '[[set]]\nname = "near"\nweight = 0.5\n\n[[set]]\nname = "far"\n'
CONCEPTS = """
[[group]]
name = "forces"
terms = "nav[y|ies], air drill(s)"

[[group]]
name = "sport"
terms = "cup final(s)"
"""
TEXTS = ("", "They said so.", "They said so at length. " * 30)


def item(at: int) -> str:
    side = ("yes", "no")[at % 2]
    title = f"{('Navy begins air drills', 'Town wins cup final')[at % 2]} {at}"
    topics = "operations,policy" if side == "yes" and at % 4 else "weapons" if side == "yes" else "-"
    return "\t".join((side, "headline", topics, "US", f"p{at // 2}", "-", title, TEXTS[at % 3]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "training"
    (home / "items").mkdir(parents=True)
    (home / "items" / "drills.tsv").write_text("# items\n" + "\n".join(map(item, range(60))) + "\n")
    (home / "items" / "ko.tsv").write_text("# other languages are not for this model\n")
    (home / "readings.tsv").write_text("# readings\nnear\tn1\ty\tope,pol\nfar\tf1\tb\tope\nnear\tn9\tn\t-\n")
    (home / "sources.toml").write_text(SOURCES)
    (home / "concepts.toml").write_text(CONCEPTS)
    vectors = Vectors({"navy": 0, "cup": 1}, np.array([[9, 1], [-8, 2]], np.int8), np.ones(2, np.float32))
    (home / "vectors.npz").write_bytes(weights.zipped(weights.vector_arrays(vectors)))
    return home


def write_set(path: Path, *rows: dict[str, object]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)


async def test_a_model_is_made_of_what_is_there_and_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    write_set(
        tmp_path / "near.jsonl.gz",
        {"id": "n1", "title": "Fleet leaves port", "text": "", "label": 0},
        {"id": "n2", "title": "Bakery opens", "text": "", "label": 0},
        {"id": "n3", "title": "Nobody knows", "text": "", "label": None},
    )
    where = place(tmp_path)
    ended = await where.run("train", "--data", str(folder), "--data", str(tmp_path), "--out", "model.npz")
    assert ended.code == 0, ended.err
    assert (ended.row["own"], ended.row["third_party"], ended.row["labels"]) == (60, 2, 0)
    assert ended.row["missing"] == ["far", "feeds"]
    out = where.directory / "model.npz"
    assert ended.row["bytes"] == out.stat().st_size
    judged = await where.run("classify", "--text", "Navies plan air drills", DEFNEWS_CLASSIFY__MODEL=str(out))
    assert judged.row["label"] == "defense"
    assert load(out).classify(article(title="Late goal decides cup final", text="")).label == "other"


async def test_labels_of_people_are_learnt_from_too(folder: Path, tmp_path: Path) -> None:
    where = place(tmp_path)
    async with await open_store(f"sqlite:///{where.database}") as store:
        texts = [make.article(1), make.article(2), make.article(3, lang="ko"), make.article(4)]
        await fill(store, texts, [make.verdict()] * 4)
        keys = [await store.provenance.find_article(text.url) or 0 for text in texts]
        for key, said in zip([keys[0], *keys[:3]], (Said.NO, Said.YES, Said.BORDERLINE, Said.NO), strict=True):
            await store.labels.add(key, said, "me", make.AT)
    ended = await where.run("train", "--data", str(folder), "--out", "model.npz", "--with-labels")
    assert ended.row["labels"] == 2


async def test_without_our_own_items_nothing_is_trained(tmp_path: Path) -> None:
    ended = await place(tmp_path).run("train", "--data", ".", "--out", "model.npz")
    assert ended.code == 2
    assert "our own items" in ended.err
    assert not (tmp_path / "model.npz").exists()


def test_our_reading_of_a_row_counts_more_than_its_own_label(folder: Path, tmp_path: Path) -> None:
    write_set(tmp_path / "near.jsonl.gz", {"id": "n1", "title": "Fleet leaves port", "text": "x", "label": 0})
    write_set(
        tmp_path / "far.jsonl.gz", {"id": "f1", "title": "Ship seized", "text": ""}, {"id": "f2", "text": "unread"}
    )
    items, missing = training.third_party(training.own(folder), [tmp_path])
    assert missing == ["feeds"]
    assert [(one.id, one.target, one.weight) for one in items] == [
        ("near/n1", 1.0, training.READ),
        ("far/f1", 0.5, training.DOUBTFUL),
    ]
    assert items[0].topics == ("operations", "policy")


def test_entries_of_feeds_that_were_read_are_found_again(folder: Path, tmp_path: Path) -> None:
    feed = (
        '<rss version="2.0"><channel><title>F</title><item><guid>one</guid><link>https://a.example/1</link>'
        "<title>Fleet leaves</title><description>&lt;b&gt;Today&lt;/b&gt; at noon.</description></item></channel></rss>"
    )
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "f.gz").write_bytes(gzip.compress(feed.encode()))
    key = "f.gz#" + hashlib.sha256(b"one").hexdigest()[:10]
    with (folder / "readings.tsv").open("a") as lines:
        lines.write(f"feeds\t{key}\ty\tope\n")
    items, missing = training.third_party(training.own(folder), [tmp_path / "classify"])
    assert missing == ["near", "far"]
    assert [(one.title, one.text, one.target) for one in items] == [("Fleet leaves", "Today at noon.", 1.0)]


@pytest.mark.parametrize(
    "line", ["maybe\theadline\t-\t-\t-\t-\ttitle\ttext", "yes\theadline"], ids=["label", "columns"]
)
def test_a_line_that_is_no_item_is_named(folder: Path, line: str) -> None:
    (folder / "items" / "more.tsv").write_text(f"# items\n{line}\n")
    with pytest.raises(CommandError, match=r"more\.tsv:2"):
        training.own(folder)


@pytest.mark.parametrize("name", ["sources.toml", "concepts.toml", "readings.tsv", "vectors.npz"])
def test_a_missing_or_broken_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_text("= broken\tfile")
    with pytest.raises(CommandError, match=str(folder)):
        training.own(folder)
    (folder / name).unlink()
    with pytest.raises(CommandError, match=name):
        training.own(folder)
