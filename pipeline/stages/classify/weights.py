"""The model file: one .npz of plain arrays (never pickle), quantised, the same bytes for the same model.

Text is kept as UTF-8, a line each; a phrase's line is: words as compared TAB words as they must be written TAB concept.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.errors import UsageError
from pipeline.stages.classify.english import Model, Network, Scale
from pipeline.stages.words import Phrases

FORMAT = 1
STEP = 1 / 256  # log-odds; weights of words are whole numbers of it


def write(model: Model, phrases: Sequence[tuple[str, int]]) -> bytes:
    """The file of a model; `phrases` are those that its `Phrases` were made of."""
    meta = {
        "format": FORMAT,
        "name": model.name,
        "bias": model.bias,
        "concepts": model.concepts,
        "topics": model.topics,
        "scales": {length: list(scale) for length, scale in model.scales.items()},
    }
    arrays = {
        "meta": _lines([json.dumps(meta)]),
        "grams": _lines(sorted(model.grams)),
        "gram_weights": np.array([steps(model.grams[gram]) for gram in sorted(model.grams)], np.int16),
        "phrases": _lines([f"{phrase}\t{concept}" for phrase, concept in phrases]),
        "topic_weights": model.topic_weights.astype(np.float16),
        **{name: getattr(model.network, name).astype(np.float16) for name in Network.__slots__},
    }
    return _zipped(arrays)


def steps(weight: float) -> int:
    """A word's weight as the file keeps it."""
    return round(weight / STEP)


def halved(array: Any) -> Any:
    """An array with the precision that the file keeps."""
    return np.asarray(array).astype(np.float16).astype(np.float32)


def read(data: bytes, source: str) -> Model:
    """The model in a file.

    Raises:
        UsageError: it is not such a file, or of another format.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return _model({name: arrays[name] for name in arrays.files})
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as e:
        raise UsageError(f"{source}: not a model of this version: {e}") from e


def _model(arrays: Mapping[str, Any]) -> Model:
    meta = json.loads(_text(arrays["meta"]))
    if meta["format"] != FORMAT:
        raise ValueError(f"format {meta['format']}")
    weights = (arrays["gram_weights"] * STEP).tolist()
    listed = (line.rpartition("\t") for line in _text(arrays["phrases"]).split("\n"))
    return Model(
        name=meta["name"],
        grams=dict(zip(_text(arrays["grams"]).split("\n"), weights, strict=True)),
        phrases=Phrases((phrase, int(concept)) for phrase, _, concept in listed),
        concepts=tuple(meta["concepts"]),
        network=Network(*(arrays[name].astype(np.float32) for name in Network.__slots__)),
        bias=meta["bias"],
        scales={length: Scale(*scale) for length, scale in meta["scales"].items()},
        topics=tuple(meta["topics"]),
        topic_weights=arrays["topic_weights"].astype(np.float32),
    )


def _lines(texts: Sequence[str]) -> Any:
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def _text(array: Any) -> str:
    return bytes(array).decode()


def _zipped(arrays: Mapping[str, Any]) -> bytes:
    """An .npz whose bytes hold no time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), part.getvalue(), zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()
