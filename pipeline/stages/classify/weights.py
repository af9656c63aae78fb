"""The model file: one .npz of plain arrays (never pickle), quantised, the same bytes for the same model.

Text is kept as UTF-8, a line each. Phrases are kept by their first word, with the ways in which that may be written, so
that none need be cut into words before it is met (`words.Kept`).
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from pipeline.errors import UsageError
from pipeline.stages.classify.english import Lexicon, Model, Network, Scale, Vectors
from pipeline.stages.words import Kept, Phrases, kept

FORMAT = 2
STEP = 1 / 256  # log-odds; weights of words are whole numbers of it

T = TypeVar("T")


def write(model: Model) -> bytes:
    """The file of a model."""
    listed, begins = model.lexicon.phrases.index
    firsts = sorted(listed)
    meta = {
        "format": FORMAT,
        "name": model.name,
        "bias": model.bias,
        "concepts": model.lexicon.concepts,
        "topics": model.topics,
        "scales": {length: list(scale) for length, scale in model.scales.items()},
    }
    arrays = {
        "meta": _lines([json.dumps(meta)]),
        "grams": _lines(sorted(model.grams)),
        "gram_weights": np.array([steps(model.grams[gram]) for gram in sorted(model.grams)], np.int16),
        "firsts": _lines(firsts),
        "begins": _lines(sorted(begins)),
        "phrases": _lines([kept(listed[first]) for first in firsts]),
        **vector_arrays(model.lexicon.vectors),
        "topic_weights": model.topic_weights.astype(np.float16),
        **{name: getattr(model.network, name).astype(np.float16) for name in Network.__slots__},
    }
    return zipped(arrays)


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
    return _read(data, source, _model)


def _read(data: bytes, source: str, made: Callable[[Mapping[str, Any]], T]) -> T:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return made({name: arrays[name] for name in arrays.files})
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as e:
        raise UsageError(f"{source}: not a model of this version: {e}") from e


def vector_arrays(vectors: Vectors) -> dict[str, Any]:
    """Vectors as the file keeps them."""
    return {
        "words": _lines(sorted(vectors.places, key=vectors.places.__getitem__)),
        "vectors": vectors.rows,
        "vector_scale": vectors.scale.astype(np.float16),
    }


def read_vectors(data: bytes, source: str) -> Vectors:
    """The vectors of words in a file of their own.

    Raises:
        UsageError: it is not such a file.
    """
    return _read(data, source, _vectors)


def _vectors(arrays: Mapping[str, Any]) -> Vectors:
    words = _text(arrays["words"]).split("\n")
    places = dict(zip(words, range(len(arrays["vectors"])), strict=True))
    return Vectors(places, arrays["vectors"], arrays["vector_scale"].astype(np.float32))


def _model(arrays: Mapping[str, Any]) -> Model:
    meta = json.loads(_text(arrays["meta"]))
    if meta["format"] != FORMAT:
        raise ValueError(f"format {meta['format']}")
    weights = (arrays["gram_weights"] * STEP).tolist()
    firsts, begins, listed = (_text(arrays[name]).split("\n") for name in ("firsts", "begins", "phrases"))
    return Model(
        name=meta["name"],
        grams=dict(zip(_text(arrays["grams"]).split("\n"), weights, strict=True)),
        lexicon=Lexicon(
            concepts=tuple(meta["concepts"]),
            phrases=Phrases.of(Kept(dict(zip(firsts, listed, strict=True)), _concept), frozenset(begins)),
            vectors=_vectors(arrays),
        ),
        network=Network(*(arrays[name].astype(np.float32) for name in Network.__slots__)),
        bias=meta["bias"],
        scales={length: Scale(*scale) for length, scale in meta["scales"].items()},
        topics=tuple(meta["topics"]),
        topic_weights=arrays["topic_weights"].astype(np.float32),
    )


def _concept(_: str, kept: str) -> int:
    return int(kept)


def _lines(texts: Sequence[str]) -> Any:
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def _text(array: Any) -> str:
    return bytes(array).decode()


def zipped(arrays: Mapping[str, Any]) -> bytes:
    """The bytes of an .npz, which hold no time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), part.getvalue(), zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()
