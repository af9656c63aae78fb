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
from pipeline.stages.classify.english import Model, Network, Scale
from pipeline.stages.classify.grams import STEP, Grams, steps
from pipeline.stages.classify.lexicon import Lexicon, Vectors
from pipeline.stages.words import Kept, Phrases, kept

FORMAT = 3

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
        **_gram_arrays(model.grams),
        "pairs": np.array(sorted(model.pairs), np.int16).reshape(-1, 2),
        "pair_steps": np.array([steps(model.pairs[pair]) for pair in sorted(model.pairs)], np.int16),
        "firsts": _lines(firsts),
        "begins": _lines(sorted(begins)),
        "phrases": _lines([kept(listed[first]) for first in firsts]),
        **vector_arrays(model.lexicon.vectors),
        "topic_weights": model.topic_weights.astype(np.float16),
        **{name: getattr(model.network, name).astype(np.float16) for name in Network.__slots__},
    }
    return zipped(arrays)


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


def _gram_arrays(grams: Grams) -> dict[str, Any]:
    """The table by its codes, each as what it is more than the one before: first and second word apart."""
    order = np.argsort(grams.codes)
    firsts, seconds = grams.codes[order] >> np.uint64(32), grams.codes[order].astype(np.uint32)
    return {
        "gram_firsts": np.diff(firsts, prepend=np.uint64(0)).astype(np.uint32),
        "gram_seconds": seconds,
        "gram_steps": grams.steps[order],
        "gram_starts": np.packbits(grams.is_start[order]),
    }


def _grams(arrays: Mapping[str, Any]) -> Grams:
    firsts, seconds = arrays["gram_firsts"].cumsum(dtype=np.uint64), arrays["gram_seconds"].astype(np.uint64)
    is_start = np.unpackbits(arrays["gram_starts"], count=len(seconds)).view(bool)
    return Grams(firsts << np.uint64(32) | seconds, arrays["gram_steps"], is_start)


def vector_arrays(vectors: Vectors) -> dict[str, Any]:
    """Vectors as the file keeps them."""
    return {
        "words": _lines(sorted(vectors.numbers, key=vectors.numbers.__getitem__)),
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
    numbers = {word: at for at, word in enumerate(_text(arrays["words"]).split("\n"))}
    return Vectors(numbers, arrays["vectors"], arrays["vector_scale"].astype(np.float32))


def _model(arrays: Mapping[str, Any]) -> Model:
    meta = json.loads(_text(arrays["meta"]))
    if meta["format"] != FORMAT:
        raise ValueError(f"format {meta['format']}")
    firsts, begins, listed = (_text(arrays[name]).split("\n") for name in ("firsts", "begins", "phrases"))
    return Model(
        name=meta["name"],
        grams=_grams(arrays),
        pairs=dict(zip(map(tuple, arrays["pairs"].tolist()), (arrays["pair_steps"] * STEP).tolist(), strict=True)),
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
