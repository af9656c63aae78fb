"""Makes vectors.npz: what single words mean, by a sentence encoder; run by hand, once, and not by `defnews train`.

python training/vectors.py ENCODER.onnx TOKENIZER.json, with the third-party sets at DEFNEWS_DEV_DATA. Needs onnxruntime
and tokenizers. Each word of the items, of the gazetteer and of those sets that is frequent enough goes through the
encoder alone; 32 principal components are kept, each word weighed by how rare it is. The file that is here was made
with all-MiniLM-L6-v2 (Apache-2.0) in int8.
"""

import os
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from pipeline.entrypoints import training
from pipeline.stages import words
from pipeline.stages.classify import weights
from pipeline.stages.classify.lexicon import Vectors
from pipeline.stages.tag import entities

SEEN = 3  # texts that a word must occur in, if no name of the gazetteer holds it
DIMENSIONS = 32
RAREST = 8  # natural logarithm of how many texts there are for one that holds the word; rarer words weigh no more
FREQUENT = 20_000  # words that the components are found from
BATCH = 256
SPREAD = 3.0  # so that the network's floor for the spread of an input does not matter
HERE = Path(__file__).parent


def texts() -> list[str]:
    """Title and lead of every item, ours and third-party."""
    ours = training.own(HERE)
    third, missing = training.third_party(ours, [Path(os.environ["DEFNEWS_DEV_DATA"]) / "classify"])
    if missing:
        raise SystemExit(f"missing: {missing}")
    return [f"{item.title}\n{item.text}" for item in (*ours.items, *third)]


def counted(read_texts: Sequence[str]) -> tuple[Counter[str], dict[str, str]]:
    """In how many texts each word occurs, and how it is mostly written."""
    counts: Counter[str] = Counter()
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for text in read_texts:
        read = words.read(text)
        counts.update(set(read.keys))
        for key, surface in zip(read.keys, read.surfaces, strict=True):
            spellings[key][surface] += 1
    for form, _ in entities.forms():
        for key, surface in zip(*words.read(form)[:2], strict=True):
            counts[key] = max(counts[key], SEEN)
            spellings[key][surface] += 1
    return counts, {key: found.most_common(1)[0][0] for key, found in spellings.items()}


def encoded(spelt: Sequence[str], encoder: str, tokenizer: str) -> Any:
    """What the encoder makes of each word, alone: (words, its dimensions)."""
    session = onnxruntime.InferenceSession(encoder)
    cutter = Tokenizer.from_file(tokenizer)
    cutter.enable_padding()
    cutter.enable_truncation(16)
    asked = {one.name for one in session.get_inputs()}
    by_length = sorted(range(len(spelt)), key=lambda at: len(spelt[at]))  # so that little is padded
    found = []
    for first in range(0, len(spelt), BATCH):
        cut = cutter.encode_batch([spelt[at] for at in by_length[first : first + BATCH]])
        ids, mask = (np.array([getattr(one, name) for one in cut], np.int64) for name in ("ids", "attention_mask"))
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        last = session.run(None, {name: given[name] for name in asked})[0]
        found.append((last * mask[..., None]).sum(1) / mask.sum(1, keepdims=True) if last.ndim == 3 else last)
    return np.concatenate(found)[np.argsort(by_length)]


def reduced(points: Any, counts: Any, texts_: int) -> tuple[Any, Any]:
    """The principal components, weighed by rarity, as whole numbers; and the scale of each."""
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    centred = unit - np.average(unit, axis=0, weights=counts)
    frequent = np.argsort(-counts, kind="stable")[:FREQUENT]
    components = np.linalg.svd(centred[frequent], full_matrices=False)[2][:DIMENSIONS]
    rarity = np.clip(np.log(texts_ / (1 + counts)), 0, RAREST) / RAREST
    weighed = centred @ components.T * rarity[:, None] * SPREAD
    scale = np.abs(weighed).max(axis=0) / 127
    return np.round(weighed / scale).astype(np.int8), scale.astype(np.float32)


def main() -> None:
    """Make the file."""
    read_texts = texts()
    counts, spellings = counted(read_texts)
    kept = sorted(key for key, count in counts.items() if count >= SEEN)
    points = encoded([spellings[key] for key in kept], *sys.argv[1:3])
    rows, scale = reduced(points, np.array([counts[key] for key in kept], float), len(read_texts))
    vectors = Vectors({key: at for at, key in enumerate(kept)}, rows, scale)
    (HERE / "vectors.npz").write_bytes(weights.zipped(weights.vector_arrays(vectors)))
    print(f"{len(kept)} words, {(HERE / 'vectors.npz').stat().st_size} bytes")


if __name__ == "__main__":
    main()
