"""Trees as arrays: how boosted trees are kept in a file without pickle, and scored with numpy alone."""

from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROWS = 4_000  # blocks that are scored at once: bounds the memory


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Boosted trees: their values add up to log-odds. Arrays are (trees, nodes), a root is node 0.

    A node sends a row to `child` when the feature is at most the threshold, else to the next node after `child`; a leaf
    is its own child under a threshold that nothing exceeds.
    """

    columns: tuple[str, ...]  # the features, in the order that `score` wants
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    child: NDArray[np.int16]
    value: NDArray[np.float64]
    depth: int
    bias: float

    def score(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """The probability of each column of `values`: (features, rows) -> (rows,)."""
        parts = [self._score(values[:, at : at + ROWS]) for at in range(0, values.shape[1], ROWS)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _score(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        rows = values.shape[1]
        flat = np.ascontiguousarray(values).ravel()
        trees, nodes = self.feature.shape
        roots = np.arange(trees, dtype=np.int32)[:, None] * nodes
        offset = self.feature.ravel().astype(np.int32) * rows
        child = (self.child + roots).ravel()
        row = np.arange(rows, dtype=np.int32)
        node = np.repeat(roots, rows, axis=1)
        threshold = self.threshold.ravel()
        for _ in range(self.depth):
            exceeds = flat.take(offset.take(node) + row) > threshold.take(node)
            node = child.take(node) + exceeds
        logit = self.value.ravel().take(node).sum(axis=0) + self.bias
        return np.asarray(1 / (1 + np.exp(-logit)))

    def write(self, path: Path) -> None:
        """Keep the forest in an npz file."""
        np.savez_compressed(
            path,
            allow_pickle=False,
            columns=np.array(self.columns),
            feature=self.feature,
            threshold=self.threshold,
            child=self.child,
            value=self.value,
            depth=np.array(self.depth),
            bias=np.array(self.bias),
        )


def read(path: Path | Traversable) -> Forest:
    """The forest that `write` kept."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
        return Forest(
            columns=tuple(kept["columns"].tolist()),
            feature=kept["feature"],
            threshold=kept["threshold"],
            child=kept["child"],
            value=kept["value"],
            depth=int(kept["depth"]),
            bias=float(kept["bias"]),
        )
