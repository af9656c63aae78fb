"""Trees as arrays: that they score as what was trained, that a file keeps them, that training repeats itself."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from pipeline.stages import forest, grow
from pipeline.stages.extract.fit import Sample, fit, sample
from pipeline.stages.forest import ROWS, Forest


def samples(pages: int = 30, features: int = 6) -> list[Sample]:
    draw = np.random.default_rng(3)
    found = []
    for _ in range(pages):
        values = draw.normal(size=(features, 60)).astype(np.float32)
        values[1] = np.round(values[1])
        noise = draw.normal(size=60)
        target = (values[0] + values[1] * values[2] + 0.3 * noise > 0.4).astype(float)
        found.append(Sample(values, target, draw.integers(1, 40, 60)))
    return found


@pytest.fixture(scope="module")
def trained() -> Forest:
    return fit(samples(), tuple("abcdef"))


def test_the_arrays_score_as_the_model_that_was_trained() -> None:
    every = samples()
    values = np.concatenate([one.values for one in every], axis=1)
    target = np.concatenate([one.target for one in every])
    edges = [grow.edges_of(row) for row in values]
    model = HistGradientBoostingClassifier(max_iter=20, early_stopping=False, random_state=0)
    model.fit(grow.binned(values, edges), target)
    exported = grow.exported(model, edges, tuple("abcdef"))
    unseen = np.random.default_rng(4).normal(size=(6, 500)).astype(np.float32)
    wanted = model.predict_proba(grow.binned(unseen, edges))[:, 1]
    np.testing.assert_allclose(exported.score(unseen), wanted, rtol=1e-12)


def test_a_forest_separates_what_it_was_shown(trained: Forest) -> None:
    values = np.zeros((6, 2), np.float32)
    values[0] = 2, -2
    likely, unlikely = trained.score(values)
    assert likely > 0.9
    assert unlikely < 0.1


def test_a_file_keeps_a_forest(trained: Forest, tmp_path: Path) -> None:
    path = tmp_path / "forest.npz"
    trained.write(path)
    kept = forest.read(path)
    values = np.random.default_rng(5).normal(size=(6, 50)).astype(np.float32)
    assert kept.columns == trained.columns
    assert (kept.score(values) == trained.score(values)).all()


def test_many_rows_score_as_few(trained: Forest) -> None:
    values = np.random.default_rng(6).normal(size=(6, 2 * ROWS + 1)).astype(np.float32)
    assert (trained.score(values)[-10:] == trained.score(values[:, -10:])).all()


def test_no_rows_have_no_scores(trained: Forest) -> None:
    assert trained.score(np.zeros((6, 0), np.float32)).shape == (0,)


def test_the_same_samples_make_the_same_forest(trained: Forest, tmp_path: Path) -> None:
    paths = tmp_path / "a.npz", tmp_path / "b.npz"
    trained.write(paths[0])
    fit(samples(), tuple("abcdef")).write(paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_block_is_the_articles_by_the_share_of_its_runs_of_three_words() -> None:
    texts = ("The ship left port.", "The ship left port. Subscribe to our paper.", "Short", "Port news", "")
    known = "The ship left port.\nShort\nIt is port news indeed."
    found = sample(np.zeros((1, 5), np.float32), texts, known)
    assert found.target.tolist() == [1.0, 1 / 3, 1.0, 0.0, 0.0]
    assert found.words.tolist() == [4, 8, 1, 2, 0]
