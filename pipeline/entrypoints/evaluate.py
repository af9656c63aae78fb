"""`evaluate`: how good the classifier is on labelled texts, each figure with its 95 % interval."""

import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from types import NoneType
from typing import Any

from pipeline.clock import SystemClock
from pipeline.entrypoints import output
from pipeline.entrypoints.classifier import make_classifier
from pipeline.entrypoints.files import NOWHERE, lines_of, read_line
from pipeline.entrypoints.options import Options
from pipeline.errors import CommandError
from pipeline.model import Article, DateOrigin, Label, Verdict
from pipeline.stages.language import language

LABELS: Mapping[Any, bool | None] = {1: True, 0: False, None: None, "yes": True, "no": False, "borderline": None}
TEXTS = ("title", "text", "lang", "register")
Z = 1.959964  # of the normal distribution, for 95 %
RESAMPLES, SEED = 1_000, 1  # of the bootstrap
BINS = 10  # of equal mass, for the calibration error
UNCERTAIN = (0.3, 0.7)  # where the codebook wants borderline items to score
Interval = tuple[float, float, float]  # the figure, and the ends of its interval
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """A labelled text and what the classifier says of it."""

    is_yes: bool | None  # None: borderline, which no accuracy figure counts
    is_defense: bool
    score: float
    needs_review: bool
    lang: str | None
    register: str | None


def print_figures(options: Options, paths: Iterable[Path], chosen: output.Format | None) -> bool:
    """Print the figures, and on stderr the lines that cannot be used; returns whether there were none.

    Raises:
        CommandError: no line can be used, or a file cannot be read.
    """
    chosen = chosen or output.suited(sys.stdout)
    bad: list[str] = []

    def complain(message: str) -> None:
        bad.append(message)
        sys.stderr.write(output.printable(f"defnews: {message}") + "\n")

    items = list(_items(options, paths, complain))
    if not items:
        raise CommandError("nothing to evaluate: there is no labelled text")
    rows = [{"part": part, **figures(found)} for part, found in _parts(items)]
    output.show([line for row in rows for line in _lines(row)] if chosen is output.Format.TABLE else rows, chosen)
    return not bad


def figures(items: Sequence[Item]) -> Row:
    """Counts and figures; a figure that is not defined on these items, and its interval, is None."""
    firm = sorted((item for item in items if item.is_yes is not None), key=lambda item: item.score)
    unsure = [item for item in items if item.is_yes is None]
    cells = Counter((bool(item.is_yes), item.is_defense) for item in firm)
    hits, misses, false_alarms = cells[True, True], cells[True, False], cells[False, True]
    found: dict[str, Interval | None] = {
        "precision": wilson(hits, hits + false_alarms),
        "recall": wilson(hits, hits + misses),
        "f1": bootstrap(f1, firm),
        "auc": bootstrap(auc, firm),
        "calibration_error": bootstrap(calibration_error, firm),
        "in_review": wilson(sum(item.needs_review for item in firm), len(firm)),
        "f1_outside_review": bootstrap(f1, [item for item in firm if not item.needs_review]),
        "borderline_uncertain": wilson(sum(UNCERTAIN[0] <= item.score <= UNCERTAIN[1] for item in unsure), len(unsure)),
    }
    row: Row = {"n": len(firm), "positives": hits + misses, "borderline": len(unsure)}
    for name, interval in found.items():
        ends = (None, None, None) if interval is None else tuple(round(value, 4) for value in interval)
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
    return row


def wilson(hits: int, n: int) -> Interval | None:
    """A share with its score interval.

    Source:
        Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927.
    """
    if not n:
        return None
    share, square = hits / n, Z * Z / n
    middle = (share + square / 2) / (1 + square)
    reach = Z / (1 + square) * math.sqrt(share * (1 - share) / n + square / (4 * n))
    return share, max(middle - reach, 0.0), min(middle + reach, 1.0)


def bootstrap(figure: Callable[[Sequence[Item]], float | None], items: Sequence[Item]) -> Interval | None:
    """A figure with its percentile interval, the same at every run; `items` are in the order of their scores."""
    value = figure(items)
    if value is None:
        return None
    draw = random.Random(SEED)  # noqa: S311 - statistics, not secrets
    places = range(len(items))
    samples = ([items[at] for at in sorted(draw.choices(places, k=len(items)))] for _ in range(RESAMPLES))
    drawn = sorted(found for sample in samples if (found := figure(sample)) is not None)
    return value, drawn[int(0.025 * (len(drawn) - 1))], drawn[math.ceil(0.975 * (len(drawn) - 1))]


def f1(items: Sequence[Item]) -> float | None:
    """Harmonic mean of precision and recall; None where there is neither a yes nor a verdict of defense."""
    hits = sum(item.is_defense for item in items if item.is_yes)
    both = sum(bool(item.is_yes) for item in items) + sum(item.is_defense for item in items)
    return 2 * hits / both if both else None


def auc(items: Sequence[Item]) -> float | None:
    """How often a yes scores above a no, a tie counting half; items ascend by score. None without both."""
    below, won = 0, 0.0
    for _, tied in groupby(items, key=lambda item: item.score):
        truths = [item.is_yes for item in tied]
        yes = truths.count(True)
        won += yes * (below + (len(truths) - yes) / 2)
        below += len(truths) - yes
    yes_all = len(items) - below
    return won / (yes_all * below) if yes_all and below else None


def calibration_error(items: Sequence[Item]) -> float | None:
    """How far scores lie from the share of yes, over bins of equal mass; items ascend by score.

    Source:
        Nixon et al., "Measuring Calibration in Deep Learning", CVPR Workshops 2019 (equal-mass ECE).
    """
    n = len(items)
    gaps = [item.score - bool(item.is_yes) for item in items]
    return sum(abs(sum(gaps[at * n // BINS : (at + 1) * n // BINS])) for at in range(BINS)) / n if n else None


def _parts(items: Sequence[Item]) -> Iterator[tuple[str, Sequence[Item]]]:
    """All items; those of each language; those of each register."""
    yield "all", items
    for kind in ("lang", "register"):
        for name in sorted({getattr(item, kind) for item in items} - {None}):
            yield f"{kind} {name}", [item for item in items if getattr(item, kind) == name]


def _lines(row: Row) -> Iterator[Row]:
    """A part's figures below each other, for a table."""
    for name, value in row.items():
        if name != "part" and not name.endswith(("_low", "_high")):
            ends = {end: _digits(row.get(f"{name}_{end}")) for end in ("low", "high")}
            yield {"part": row["part"], "figure": name.replace("_", " "), "value": _digits(value), **ends}


def _digits(value: float | None) -> str | None:
    return f"{value:.3f}" if isinstance(value, float) else None if value is None else str(value)


def _items(options: Options, paths: Iterable[Path], complain: Callable[[str], None]) -> Iterator[Item]:
    settings, now = options.settings(), SystemClock().now()
    classifier = make_classifier(settings)
    for where, line in lines_of(paths):
        if not line.strip():
            continue
        try:
            given = _labelled(read_line(line))
        except (ValueError, KeyError, TypeError) as e:
            complain(f"{where}: " + (f"{e.args[0]!r} is missing" if isinstance(e, KeyError) else str(e)))
            continue
        texts = (given.get("title") or "", given.get("text") or "")
        article = Article(NOWHERE, NOWHERE, *texts, now, DateOrigin.FIRST_SEEN, "given@1", lang=given.get("lang"))
        yield _item(given, classifier.classify(replace(article, lang=language(article))))


def _labelled(line: Any) -> Mapping[str, Any]:
    """A line of a file.

    Raises:
        TypeError, ValueError, KeyError: it is no labelled text; says why.
    """
    if not isinstance(line, dict):
        raise TypeError('expected {"title", "text", "label"}')
    if wrong := [name for name in TEXTS if not isinstance(line.get(name, ""), str | NoneType)]:
        raise TypeError(f"{' and '.join(wrong)}: expected a text")
    label = line["label"]
    if isinstance(label, list | dict) or label not in LABELS:
        raise ValueError(f"label {label!r}: expected 1, 0, null, yes, no or borderline")
    return line


def _item(given: Mapping[str, Any], verdict: Verdict) -> Item:
    return Item(
        is_yes=LABELS[given["label"]],
        is_defense=verdict.label is Label.DEFENSE,
        score=verdict.score,
        needs_review=verdict.needs_review,
        lang=given.get("lang"),
        register=given.get("register"),
    )
