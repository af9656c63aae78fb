"""`label`, `review`, `reclassify`: what people and classifiers say of articles that are stored."""

import getpass
import sys
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pipeline.clock import Clock, SystemClock
from pipeline.entrypoints import output, progress, reading, wiring
from pipeline.entrypoints.classifier import make_classifier
from pipeline.entrypoints.options import Options
from pipeline.errors import CommandError, UsageError
from pipeline.model import Verdict
from pipeline.query import Query
from pipeline.query.words import split_words
from pipeline.stages.classify import Classifier
from pipeline.store import Doubtful, Judgement, Said, Standing, Store, open_store
from pipeline.store.articles import text_hash

CANDIDATES = 300  # the most uncertain articles, among which `review` looks for variety
ALIKE = 0.5  # of the words and terms of two articles; from here on they are near-identical
BATCH = 200  # articles of a transaction; a daemon that waits for it hardly notices
COUNTS = (
    "judged", "skipped", "same", "to_defense", "to_other", "now_in_review", "out_of_review", "kept_by_person",
)  # fmt: skip
FLIP = (
    "id", "title", "change", "old_classifier", "old_label", "old_score", "new_classifier", "new_label", "new_score",
)  # fmt: skip
Row = dict[str, Any]
Tell = Callable[[Row], None]
Work = Callable[[Tell, bool], Coroutine[Any, Any, dict[str, int]]]  # what is told of changes, and whether in silence


async def label(options: Options, id_or_url: str, said: str, who: str | None) -> Row:
    """Store a person's label; returns it as it was stored, with what the article shows now.

    Raises:
        UsageError: it is no label, or nobody's.
        CommandError: there is no such article.
    """
    if said not in list(Said):
        raise UsageError(f"label: {said!r}: expected {', '.join(Said)}")
    name = who or _login_name()
    async with await open_store(options.settings().database_url) as store:
        key = await store.provenance.find_article(id_or_url)
        if key is None:
            raise CommandError(f"no article {id_or_url}; `defnews why URL` says what became of a URL")
        given = await store.labels.add(key, Said(said), name, SystemClock().now())
    return {
        "id": given.article_id,
        "title": given.title,
        "said": given.said,
        "who": given.who,
        "created_at": given.created_at,
        "text_hash": given.text_hash,
        "label": given.label,
        "needs_review": given.needs_review,
    }


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError) as e:
        raise UsageError("--who: this user has no login name: say whose word it is") from e


async def review(options: Options, asked: reading.Asked, limit: int) -> list[Row]:
    """The first articles of the queue for people: uncertain ones, of many kinds."""
    async with await open_store(options.settings().database_url) as store:
        query = await reading.to_query(store, asked, SystemClock().now())
        waiting = await store.labels.doubtful(query, CANDIDATES)
    return [
        {
            "id": doubtful.id,
            "score": round(doubtful.score, 4),
            "classifier": doubtful.classifier,
            "lang": doubtful.lang,
            "title": doubtful.title,
            "feed": doubtful.feed,
            "why": list(islice(_why(doubtful), 5)),
        }
        for doubtful in varied(waiting)[:limit]
    ]


def _why(doubtful: Doubtful) -> Iterator[str]:
    """The terms that moved the score, each once, with the weight of all its places."""
    weights: Counter[str] = Counter()
    for term in doubtful.evidence:
        weights[term["term"]] += term["weight"]
    for name, weight in sorted(weights.items(), key=lambda item: -abs(item[1])):
        yield f"{name} {weight:+.1f}"


def varied(waiting: Sequence[Doubtful]) -> list[Doubtful]:
    """The same articles in their order, but that near-identical ones stand as far behind each other as can be.

    In rounds: each takes the articles that are unlike all those it has taken and unlike the last one before it.
    """
    left = [(doubtful, _marks(doubtful)) for doubtful in waiting]
    chosen: list[tuple[Doubtful, frozenset[str]]] = []
    while left:
        taken, rest = chosen[-1:], left[:0]
        for candidate in left:
            is_new = not any(_likeness(candidate[1], other) >= ALIKE for _, other in taken)
            (taken if is_new else rest).append(candidate)
        fresh = taken[len(chosen[-1:]) :]
        chosen += fresh or left[:1]
        left = rest if fresh else left[1:]
    return [doubtful for doubtful, _ in chosen]


def _marks(doubtful: Doubtful) -> frozenset[str]:
    """What an article is compared by: the words of its title and the terms that moved its score."""
    return frozenset(split_words(doubtful.title)) | {term["term"].casefold() for term in doubtful.evidence}


def _likeness(one: Collection[str], other: frozenset[str]) -> float:
    """What share of all their marks two articles have in common (Jaccard)."""
    every = other.union(one)
    return len(other.intersection(one)) / len(every) if every else 1.0


def print_flips(options: Options, asked: reading.Asked, chosen: output.Format | None, *, is_dry: bool) -> None:
    """Judge stored articles again, printing each that changes, then the counts."""
    print_changes(
        FLIP, chosen, lambda tell, is_quiet: reclassify(options, asked, tell, is_dry=is_dry, is_quiet=is_quiet)
    )


def print_changes(columns: Sequence[str], chosen: output.Format | None, work: Work) -> None:
    """Do a work that tells of each article that it changes, and print these; then its counts."""
    from pipeline.entrypoints.options import run_async

    chosen = chosen or output.suited(sys.stdout)
    with output.as_they_come(columns, chosen) as tell:
        is_quiet = chosen in (output.Format.JSONL, output.Format.CSV)  # the rows themselves say how far it is
        counts = run_async(work(tell, is_quiet))
        if chosen in (output.Format.JSONL, output.Format.JSON):
            tell(counts)
    if chosen is output.Format.TABLE:
        output.show([counts], chosen)
    elif chosen is output.Format.CSV:
        sys.stderr.write(" ".join(f"{name} {count}" for name, count in counts.items()) + "\n")


async def reclassify(
    options: Options, asked: reading.Asked, tell: Tell, *, is_dry: bool, is_quiet: bool = True
) -> dict[str, int]:
    """Judge the articles that match with the classifier of the settings; returns the counts.

    Those that it has judged already, with the text that they have now, are skipped.
    """
    settings, clock = options.settings(), SystemClock()
    classifier = make_classifier(settings)
    async with await open_store(settings.database_url) as store:
        query = await reading.to_query(store, asked, clock.now())
        run = None if is_dry else await store.runs.start("reclassify", clock.now(), {"classifier": classifier.name})
        again = Again(store, classifier, clock, tell, run.id if run else None)
        async with AsyncExitStack() as around:
            kept = await around.enter_async_context(wiring.alive(store, run, clock)) if run else {}
            if not is_quiet:
                await around.enter_async_context(progress.shown(lambda: again.counts))
            await again.judge(query)
            kept.update(again.counts)
        return {name: again.counts[name] for name in COUNTS}


@dataclass(slots=True)
class Again:
    """Judging stored articles again, batch by batch; each batch is a transaction of its own."""

    store: Store
    classifier: Classifier
    clock: Clock
    tell: Tell
    run_id: int | None  # None: nothing is stored
    counts: Counter[str] = field(default_factory=Counter)
    judges: set[tuple[str, str | None]] = field(default_factory=set)  # the names that its verdicts were seen to bear

    async def judge(self, query: Query) -> None:
        """Judge all articles that match, newest first."""
        before: int | None = None
        while page := await self.store.verdicts.page(query, before, BATCH):
            before = page[-1].article_id
            due = [standing for standing in page if not self._is_done(standing, standing.text_hash)]
            judged = await self._verdicts(due)
            stored = {standing.article_id for standing, _ in judged}
            if self.run_id is not None and judged:
                stored &= await self.store.verdicts.put(judged)
            self.counts["skipped"] += len(page) - len(stored)
            for standing, judgement in judged:
                if standing.article_id in stored:
                    self._count(standing, judgement.verdict)

    async def _verdicts(self, due: Sequence[Standing]) -> list[tuple[Standing, Judgement]]:
        texts = await self.store.verdicts.articles([standing.article_id for standing in due])
        now = self.clock.now()
        judged = []
        for standing in due:
            article = texts[standing.article_id]
            verdict = self.classifier.classify(article)
            self.judges.add((verdict.classifier, verdict.tagger))
            digest = text_hash(article.text)
            judgement = Judgement(standing.article_id, verdict, digest, now, self.run_id, article.site_memory)
            if not self._is_done(standing, judgement.text_hash):
                judged.append((standing, judgement))
        return judged

    def _is_done(self, standing: Standing, text_hash_now: str) -> bool:
        """Whether its newest verdict is one of ours, on the text of now: another would say the same."""
        return (standing.classifier, standing.tagger) in self.judges and standing.judged_hash == text_hash_now

    def _count(self, standing: Standing, verdict: Verdict) -> None:
        changes = changed(standing, verdict)
        self.counts.update(("judged", *(changes or ("same",))))
        if changes:
            self.tell(_flip(standing, verdict, changes))


def changed(old: Standing, new: Verdict) -> tuple[str, ...]:
    """What a new verdict changes of what everybody sees; or that a person's label kept it from changing."""
    if old.said in (Said.YES, Said.NO):
        return ("kept_by_person",) if new.label != old.verdict_label else ()
    changes: list[str] = [] if new.label == old.label else [f"to_{new.label.value}"]
    if old.said is None and new.needs_review != old.needs_review:
        changes.append("now_in_review" if new.needs_review else "out_of_review")
    return tuple(changes)


def _flip(old: Standing, new: Verdict, changes: tuple[str, ...]) -> Row:
    values = (
        old.article_id,
        old.title,
        changes,
        old.classifier,
        old.verdict_label,
        round(old.score, 4),
        new.classifier,
        new.label.value,
        round(new.score, 4),
    )
    return dict(zip(FLIP, values, strict=True))
