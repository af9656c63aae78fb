"""`train`: the English model made again from labelled texts: our own, third-party sets, people's labels."""

import gzip
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.entrypoints.options import Options, run_async
from pipeline.errors import CommandError, ParseError, UsageError
from pipeline.stages import parse
from pipeline.stages.classify import concepts, weights
from pipeline.stages.classify.fit import Item, fit
from pipeline.stages.classify.lexicon import Lexicon
from pipeline.stages.words import Phrases
from pipeline.store import open_store

NAME = "defnews-en@4"
OWN, READ, LABELLED, DOUBTFUL = 8.0, 3.0, 8.0, 1.0  # weights: an item of ours, a row we read, a label, a borderline one
TARGETS = {"yes": 1.0, "no": 0.0, "borderline": 0.5, "y": 1.0, "n": 0.0, "b": 0.5}
TOPICS = (
    "operations", "conflict", "weapons", "nuclear", "procurement",
    "industry", "policy", "personnel", "cyber", "terrorism",
)  # fmt: skip
COLUMNS = ("label", "register", "topics", "countries", "pair", "boundary", "title", "text")
DEV_DATA = "DEFNEWS_DEV_DATA"
FEEDS = "feeds"  # the set of which only the entries are rows that we read
LONGEST = 1_000  # characters of a row that are read
_TAG = re.compile(r"<[^>]+>")

Row = dict[str, Any]


class Reading(NamedTuple):
    """How we read a row of a third-party set."""

    label: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """What the folder of our own holds."""

    items: list[Item]
    readings: dict[tuple[str, str], Reading]  # by set and id
    sets: list[Row]
    lexicon: Lexicon


def train(options: Options, folders: Sequence[Path], out: Path, *, with_labels: bool) -> Row:
    """Train the model and write its file; says what it was made of.

    Raises:
        UsageError: no folder holds our own items.
        CommandError: a file is missing or holds something else.
    """
    ours = own(_home(folders))
    third, missing = third_party(ours, _places(folders))
    labelled = run_async(_labelled(options)) if with_labels else []
    data = weights.write(fit([*ours.items, *third, *labelled], ours.lexicon, NAME))
    try:
        out.write_bytes(data)
    except OSError as e:
        raise CommandError(f"{out}: cannot be written: {e}") from e
    return {
        "model": str(out),
        "name": NAME,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "own": len(ours.items),
        "third_party": len(third),
        "labels": len(labelled),
        "missing": missing,
    }


def _home(folders: Sequence[Path]) -> Path:
    """The folder of our own items: the first named that is one, else ./training."""
    for folder in (*folders, Path("training")):
        if (folder / "items").is_dir():
            return folder
    raise UsageError("train: our own items (items/*.tsv) are in none of the folders named by --data, nor in ./training")


def _places(folders: Sequence[Path]) -> list[Path]:
    """Where third-party sets are looked for."""
    roots = [*folders, *(Path(root) for root in [os.environ.get(DEV_DATA)] if root)]
    return [place for root in roots for place in (root, root / "classify")]


def own(folder: Path) -> Own:
    """Our own labelled items in English, our readings, and the lexicon.

    Raises:
        CommandError: a file is missing or holds something else; says which, and the line.
    """
    try:
        items = [
            item
            for path in sorted((folder / "items").glob("*.tsv"))
            if not _is_language(path.stem)
            for item in _items(path)
        ]
        sets = tomllib.loads((folder / "sources.toml").read_text("utf-8"))["set"]
        return Own(items, _readings(folder / "readings.tsv"), sets, _lexicon(folder))
    except (OSError, ValueError, KeyError, UsageError) as e:
        raise CommandError(f"{folder}: {e}") from e


def _lexicon(folder: Path) -> Lexicon:
    names, phrases = concepts.listed(tomllib.loads((folder / "concepts.toml").read_text("utf-8")))
    path = folder / "vectors.npz"
    return Lexicon(names, Phrases(phrases), weights.read_vectors(path.read_bytes(), str(path)))


def _is_language(stem: str) -> bool:
    """Whether a file of items is that of another language, as ko.tsv."""
    return len(stem) == len("en")


def item_rows(path: Path) -> Iterator[Row]:
    """The labelled items of a file, by column, each with its `id`; what follows the last column is left out.

    Raises:
        CommandError: a line has too few columns, or no such label.
    """
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) < len(COLUMNS) or cells[0] not in TARGETS:
            raise CommandError(f"{path}:{number}: expected the columns {', '.join(COLUMNS)}, parted by tabs")
        yield {"id": f"{path.stem}-{number}", **dict(zip(COLUMNS, cells, strict=False))}


def _items(path: Path) -> Iterator[Item]:
    for row in item_rows(path):
        target = TARGETS[row["label"]]
        yield Item(
            id=row["id"],
            title=row["title"],
            text=row["text"],
            target=target,
            weight=DOUBTFUL if target == TARGETS["borderline"] else OWN,
            pair=row["id"] if row["pair"] == "-" else row["pair"],
            topics=_codes(row["topics"]),
            is_calibrating=True,
        )


def _codes(listed: str) -> tuple[str, ...]:
    """Topics by their codes or the first letters of them."""
    asked = [code for code in listed.split(",") if code not in ("", "-")]
    return tuple(topic for code in asked for topic in TOPICS if topic.startswith(code.strip()))


def _readings(path: Path) -> dict[tuple[str, str], Reading]:
    lines = (line.split("\t") for line in path.read_text("utf-8").splitlines() if not line.startswith("#"))
    return {(name, key): Reading(label, _codes(topics)) for name, key, label, topics in lines}


def third_party(ours: Own, places: Sequence[Path]) -> tuple[list[Item], list[str]]:
    """The items of the third-party sets that are there, and the names of those that are not."""
    items, missing = [], []
    for entry in ours.sets:
        name = entry["name"]
        path = next((path for place in places if (path := place / f"{name}.jsonl.gz").is_file()), None)
        if path is None:
            missing.append(name)
            continue
        for row in _lines(path):
            read = ours.readings.get((name, row["id"]))
            item = _third_party_item(name, row, read, entry.get("weight", 0.0))
            if item is not None:
                items.append(item)
    folder = next((found for place in places if (found := place.parent / FEEDS).is_dir()), None)
    if folder is None:
        return items, [*missing, FEEDS]
    return [*items, *_feed_items(folder, ours.readings)], missing


def _lines(path: Path) -> Iterator[Row]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)
    except (OSError, EOFError, ValueError) as e:
        raise CommandError(f"{path}: {e}") from e


def _third_party_item(name: str, row: Mapping[str, Any], read: Reading | None, weight: float) -> Item | None:
    """A row as an item: by our reading, else by its own label; None when it has neither."""
    label = row.get("label")
    title, text = row.get("title") or "", (row.get("text") or "")[:LONGEST]
    if read is not None:
        return _read_item(f"{name}/{row['id']}", title, text, read)
    if label is None or not weight:
        return None
    key = f"{name}/{row['id']}"
    return Item(id=key, title=title, text=text, target=float(label), weight=weight, pair=key)


def _read_item(key: str, title: str, text: str, read: Reading) -> Item:
    target = TARGETS[read.label]
    weight = DOUBTFUL if read.label == "b" else READ
    return Item(id=key, title=title, text=text, target=target, weight=weight, pair=key, topics=read.topics)


def _feed_items(folder: Path, readings: Mapping[tuple[str, str], Reading]) -> Iterator[Item]:
    """The entries of the feeds that we read."""
    for name in sorted({key.partition("#")[0] for kind, key in readings if kind == FEEDS}):
        path = folder / name
        try:
            body = gzip.decompress(path.read_bytes())
            entries = parse.parse(body, str(path)).entries
        except (OSError, ParseError) as e:
            raise CommandError(f"{path}: {e}") from e
        for entry in entries:
            title, text = _plain(entry.title), _plain(entry.summary or entry.content)[:LONGEST]
            key = f"{name}#{hashlib.sha256((entry.id or title).encode()).hexdigest()[:10]}"
            if (read := readings.get((FEEDS, key))) is not None:
                yield _read_item(f"{FEEDS}/{key}", title, text, read)


def _plain(markup: str | None) -> str:
    return " ".join(_TAG.sub(" ", markup or "").split())


async def _labelled(options: Options) -> list[Item]:
    """The English articles of the database that people have labelled."""
    async with await open_store(options.settings().database_url) as store:
        return [
            Item(
                id=f"label/{row.article_id}",
                title=row.title,
                text=row.text[:LONGEST],
                target=TARGETS[row.said],
                weight=LABELLED,
                pair=f"label/{row.article_id}",
            )
            async for row in store.labels.texts()
            if (row.lang or "en").startswith("en")
        ]
