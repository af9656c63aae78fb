"""The trained English model: its evidence adds up and points at the text; its file scores as what was trained."""

import io
import math
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.model import Label, Verdict
from pipeline.stages.classify import fit, load, weights
from pipeline.stages.classify.english import English, Inputs, Model, Network, Unscaled, length_of
from pipeline.stages.classify.fit import Item
from pipeline.stages.classify.lexicon import Lexicon, Vectors
from pipeline.stages.words import Phrases
from tests.make import article as make_article

DEFENSE = (
    "South Korea, the US and Japan flew joint air drills near Jeju with a B-52H, as their military chiefs met in Seoul."
)
OTHER = "The striker scored twice in the second half as the home side won the cup final, and fans filled the streets."
PHRASES = (("b-52", 0), ("air drills", 1), ("cup final", 2), ("military chiefs", 1), ("striker", 2), ("navy", 0))
CONCEPTS = ("weapon", "force", "sport")
VECTORS = Vectors(
    {"navy": 0, "cup": 1, "goal": 2}, np.array([[90, 9], [-80, 20], [-70, 5]], np.int8), np.full(2, 0.125, np.float32)
)
LEXICON = Lexicon(CONCEPTS, Phrases(PHRASES), VECTORS)


def items() -> list[Item]:
    """Sixty items of two sides, in three lengths, each a little different."""
    subjects = ("navy tests a B-52 in air drills", "striker wins the cup final with late goal")
    made = []
    for at in range(60):
        title, side = f"{subjects[at % 2]} number {at % 7} rare{at}", 1.0 - at % 2
        text = ("", "The navy said so." if side else "Fans said so.", (DEFENSE if side else OTHER) * 5)[at % 3]
        made.append(
            Item(
                id=str(at),
                title=title,
                text=text,
                target=side if at > 3 else 0.5,
                weight=1.0,
                pair=str(at // 2 if at % 5 else at),
                topics=(("weapons", "operations")[at % 4 // 2],) if side else (),
                is_calibrating=True,
            )
        )
    return made


@pytest.fixture(scope="module")
def model() -> Model:
    return fit.fit(items(), LEXICON, "small@1")


@cache
def shipped() -> English:
    data = resources.files("pipeline.stages.classify").joinpath("model.npz").read_bytes()
    return English(weights.read(data, "the model that ships"), 0.5, (0.3, 0.7))


def judged(title: str, text: str) -> Verdict:
    return shipped().classify(make_article(title=title, text=text))


def logit(score: float) -> float:
    return math.log(score / (1 - score))


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Air drills near Jeju", DEFENSE),
        ("Cup final", OTHER),
        ("", ""),
        ("Navy", ""),
        ("", DEFENSE * 20),
        ("中国", "x"),
    ],
    ids=["drills", "sport", "nothing", "headline", "long", "foreign"],
)
def test_base_and_evidence_add_up_to_the_score(title: str, text: str) -> None:
    verdict = judged(title, text)
    assert verdict.base + sum(piece.weight for piece in verdict.evidence) == pytest.approx(logit(verdict.score))


LISTED = (
    "the",
    "navy",
    "chess",
    "defence",
    "F-16",
    "strikes",
    "deal",
    "war",
    "film",
    "U.S.",
    "Patriot",
    "\n",
    "é",
    "中国",
)
words = st.sampled_from(LISTED)
texts = st.lists(words, max_size=60).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(title=texts, text=texts)
def test_any_evidence_stands_where_it_says_and_adds_up(title: str, text: str) -> None:
    verdict = judged(title, text)
    fields = {"title": title, "text": text}
    for piece in verdict.evidence:
        assert fields[piece.field][piece.start : piece.end] == piece.term
    spans = [(piece.field, place) for piece in verdict.evidence for place in range(piece.start, piece.end)]
    assert len(spans) == len(set(spans))
    assert verdict.base + sum(piece.weight for piece in verdict.evidence) == pytest.approx(logit(verdict.score))
    assert 0 < verdict.score < 1


def test_a_defense_verdict_names_at_least_one_topic_and_another_none() -> None:
    assert "operations" in judged("Joint air drills near Jeju", DEFENSE).topics
    assert judged("Home side wins cup final", OTHER).topics == ()


def test_only_the_lead_is_read() -> None:
    lead = (OTHER + " ") * 20
    assert judged("Cup", lead) == judged("Cup", lead + DEFENSE * 50)


def test_the_threshold_and_the_review_band_are_the_settings(model: Model) -> None:
    article = make_article(title="navy tests a B-52 in air drills number 3", text="")
    score = English(model, 0.5, (0.3, 0.7)).classify(article).score
    strict = English(model, (1 + score) / 2, (score, score)).classify(article)
    assert strict.label is Label.OTHER
    assert strict.needs_review
    assert not English(model, 0.5, (0.0, 0.0)).classify(article).needs_review


def test_vectors_are_read_as_they_were_written(model: Model) -> None:
    vectors = model.lexicon.vectors
    kept = weights.read_vectors(weights.zipped(weights.vector_arrays(vectors)), "a test")
    assert kept.numbers == vectors.numbers
    assert np.array_equal(kept.rows, vectors.rows)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_file_scores_as_what_was_trained(model: Model) -> None:
    kept = weights.read(weights.write(model), "a test")
    looked = [fit.look(LEXICON, item.title, item.text) for item in items()]
    fitted = fit.train(items(), looked, LEXICON.inputs)
    for item in items():
        slope, shift = model.scales[length_of(item.text)]
        seen = fit.look(LEXICON, item.title, item.text)
        score = English(kept, 0.5, (0.3, 0.7)).classify(make_article(title=item.title, text=item.text)).score
        assert logit(score) == pytest.approx(slope * fit.total(fitted, seen) + shift, abs=1e-4)


def test_the_same_items_make_the_same_bytes(model: Model) -> None:
    again = fit.fit(items(), LEXICON, "small@1")
    assert weights.write(again) == weights.write(model)


def test_a_model_that_was_read_is_written_as_the_same_bytes(model: Model) -> None:
    data = weights.write(model)
    kept = weights.read(data, "a test")
    assert weights.write(kept) == data
    assert len(kept.lexicon.phrases.index[0]) == len(model.lexicon.phrases.index[0])


def test_what_was_trained_tells_the_sides_apart(model: Model) -> None:
    judge = English(model, 0.5, (0.3, 0.7))
    for item in items()[4:]:
        verdict = judge.classify(make_article(title=item.title, text=item.text))
        assert (verdict.label is Label.DEFENSE) == (item.target == 1)


def test_a_pair_is_never_parted() -> None:
    pairs: dict[str, set[int]] = {}
    for item, fold in zip(items(), fit.folds(items()), strict=True):
        pairs.setdefault(item.pair, set()).add(int(fold))
    assert all(len(folds) == 1 for folds in pairs.values())


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04junk", b"\x93NUMPY"], ids=["empty", "broken", "other"])
def test_what_is_no_model_is_refused_with_its_name(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"mine\.npz: not a model"):
        weights.read(data, "mine.npz")


def test_a_model_of_another_format_is_refused(model: Model) -> None:
    data = weights.write(model)
    with np.load(io.BytesIO(data)) as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    kept["meta"] = np.frombuffer(bytes(kept["meta"]).replace(b'"format": 3', b'"format": 9'), np.uint8)
    with pytest.raises(UsageError, match="format 9"):
        weights.read(weights.zipped(kept), "old.npz")


def test_a_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.npz"):
        load(tmp_path / "gone.npz")


def test_rectifiers_are_linear_around_each_input() -> None:
    network = Network(
        scale=np.ones(2, np.float32),
        weights=np.array([[1.0, -1.0], [0.5, 2.0]], np.float32),
        bias=np.array([0.0, -1.0], np.float32),
        out=np.array([2.0, 3.0], np.float32),
    )
    seen = Unscaled(network).see(Inputs(np.array([0]), np.ones(1, np.float32), np.full(1, 0.2, np.float32)))
    assert seen.total == pytest.approx(2 * 1.1)
    assert [*seen.concepts, *seen.rest] == pytest.approx([2.0, 1.0])


def test_scales_are_by_length() -> None:
    assert [length_of(text) for text in ("", " \n", "short", "x" * 401)] == [
        "headline",
        "headline",
        "summary",
        "article",
    ]
