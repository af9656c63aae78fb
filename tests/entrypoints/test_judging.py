"""What people and classifiers say of stored articles: label, review, reclassify, as users meet them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.entrypoints.judging import ALIKE, BATCH, Again, changed, varied
from pipeline.model import Article, Label, Verdict
from pipeline.query import Filters, Query
from pipeline.store import Doubtful, Said, Standing, Store, open_store
from tests import make
from tests.conftest import StillClock
from tests.running import Place, place
from tests.store.filling import fill

TITLES = ("Army buys tanks", "Bakery opens", "Navy drill", "Bank lends")


class Judge:
    """A classifier that knows which titles are about defense."""

    def __init__(self, *defense: str, name: str = "judge@2", review: Sequence[str] = (), dies_at: str = "") -> None:
        self.name, self._defense, self._review, self._dies_at = name, defense, review, dies_at
        self.judged: list[str] = []

    def classify(self, article: Article) -> Verdict:
        if article.title == self._dies_at:
            raise KeyboardInterrupt
        self.judged.append(article.title)
        made = make.tagged(score=0.8) if article.title in self._defense else make.other()
        named = f"{self.name}/ko" if article.lang == "ko" else self.name
        return replace(made, classifier=named, needs_review=article.title in self._review)


class Judging:
    """A store with the four titles, the first two defense, and what is told of judging it again."""

    def __init__(self, store: Store, clock: StillClock) -> None:
        self.store, self.clock = store, clock
        self.told: list[dict[str, Any]] = []

    async def again(self, judge: Judge, *, is_dry: bool = False, **filters: Any) -> dict[str, int]:
        run = await self.store.runs.start("reclassify", self.clock.now())
        again = Again(self.store, judge, self.clock, self.told.append, None if is_dry else run.id)
        await again.judge(Query(filters=Filters(**filters)))
        return dict(again.counts)

    async def labels(self) -> dict[str, str]:
        return {found.title: found.label async for found in self.store.search.stream(Query(limit=1000))}

    async def say(self, title: str, said: Said) -> None:
        ids = {found.title: found.id async for found in self.store.search.stream(Query(limit=1000))}
        await self.store.labels.add(ids[title], said, "me", self.clock.now())


@pytest.fixture
async def judging(store: Store, clock: StillClock) -> Judging:
    old = make.verdict(classifier="judge@1")
    articles = [make.article(n, title=title) for n, title in enumerate(TITLES)]
    await fill(store, articles, [old, old, make.other(classifier="judge@1"), make.other(classifier="judge@1")])
    return Judging(store, clock)


async def test_a_new_classifier_flips_labels_and_the_report_says_which(judging: Judging) -> None:
    counts = await judging.again(Judge("Army buys tanks", "Navy drill", review=["Bank lends"]))
    assert counts == {"judged": 4, "skipped": 0, "same": 1, "to_other": 1, "to_defense": 1, "now_in_review": 1}
    assert await judging.labels() == dict(zip(TITLES, ("defense", "other", "defense", "other"), strict=True))
    (first, *_) = judging.told
    assert [row["title"] for row in judging.told] == ["Bakery opens", "Navy drill", "Bank lends"]
    names = ("change", "old_classifier", "old_label", "old_score", "new_classifier", "new_label", "new_score")
    assert tuple(first[name] for name in names) == (("to_other",), "judge@1", "defense", 0.9, "judge@2", "other", 0.1)


async def test_judging_twice_is_judging_once(judging: Judging) -> None:
    await judging.again(Judge("Army buys tanks"))
    judge, told = Judge("Army buys tanks"), len(judging.told)
    assert await judging.again(judge) == {"skipped": 4}
    assert len(judging.told) == told
    page = await judging.store.verdicts.page(Query(), None, 10)
    known = await judging.store.provenance.of_article(page[0].article_id)
    assert known is not None
    assert len(known.verdicts) == 2


async def test_a_run_that_was_killed_goes_on_where_it_was(store: Store, clock: StillClock) -> None:
    count = BATCH + 50
    articles = [make.article(n, title=f"News {n}") for n in range(count)]
    await fill(store, articles, [make.verdict(classifier="judge@1")] * count)
    judging = Judging(store, clock)
    with pytest.raises(KeyboardInterrupt):
        await judging.again(Judge(dies_at=f"News {BATCH + 20}"))
    assert sum(label == "other" for label in (await judging.labels()).values()) == BATCH
    judge = Judge()
    assert await judging.again(judge) == {"skipped": BATCH, "judged": 50, "to_other": 50}
    assert len(judge.judged) < 2 * BATCH  # the first batch says who judges, the others are passed over unread
    assert set((await judging.labels()).values()) == {"other"}


async def test_a_dry_run_says_the_same_and_stores_nothing(judging: Judging) -> None:
    before = await judging.labels()
    dry = await judging.again(Judge(), is_dry=True)
    told, judging.told = judging.told, []
    assert await judging.labels() == before
    assert await judging.again(Judge()) == dry
    assert judging.told == told


async def test_only_what_matches_is_judged(judging: Judging) -> None:
    assert (await judging.again(Judge(), labels=("defense",)))["judged"] == 2


async def test_a_language_whose_verdicts_bear_another_name_is_skipped_too(store: Store, clock: StillClock) -> None:
    await fill(store, [make.article(1, lang="ko"), make.article(2)], [make.verdict()] * 2)
    judging = Judging(store, clock)
    assert (await judging.again(Judge()))["judged"] == 2
    assert await judging.again(Judge()) == {"skipped": 2}


async def test_a_person_keeps_the_label_and_the_report_says_so(judging: Judging) -> None:
    await judging.say("Army buys tanks", Said.YES)
    await judging.say("Bakery opens", Said.BORDERLINE)
    await judging.say("Bank lends", Said.YES)
    counts = await judging.again(Judge(review=TITLES))
    assert counts == {"judged": 4, "skipped": 0, "kept_by_person": 1, "to_other": 1, "now_in_review": 1, "same": 1}
    labels = await judging.labels()
    assert (labels["Army buys tanks"], labels["Bakery opens"], labels["Bank lends"]) == ("defense", "other", "defense")


OLD = Standing(1, "A", "h", 1, "h", "old@1", None, "defense", 0.9, None, "defense", needs_review=False)


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({}, {}, ()),
        ({}, {"label": Label.OTHER}, ("to_other",)),
        ({"verdict_label": "other", "label": "other"}, {}, ("to_defense",)),
        ({}, {"needs_review": True}, ("now_in_review",)),
        ({"needs_review": True}, {"label": Label.OTHER}, ("to_other", "out_of_review")),
        ({"said": "yes"}, {"label": Label.OTHER, "needs_review": True}, ("kept_by_person",)),
        ({"said": "no", "label": "other"}, {}, ()),
        ({"said": "borderline"}, {"label": Label.OTHER, "needs_review": True}, ("to_other",)),
    ],
    ids=str,
)
def test_what_changes_is_what_people_see(old: dict[str, Any], new: dict[str, Any], changes: tuple[str, ...]) -> None:
    assert changed(replace(OLD, **old), make.verdict(**new)) == changes


def waiting(*titles: str) -> list[Doubtful]:
    return [Doubtful(n, 0.5, 0.5, "a@1", "en", title, None, ()) for n, title in enumerate(titles)]


def order(*titles: str) -> list[str]:
    return [doubtful.title for doubtful in varied(waiting(*titles))]


def test_near_identical_articles_do_not_follow_each_other() -> None:
    assert order("tank deal a", "tank deal b", "tank deal c", "frigate", "frigate", "pope") == [
        *("tank deal a", "frigate", "pope"),
        *("tank deal b", "frigate"),
        "tank deal c",
    ]
    assert order("x", "y", "y", "x") == ["x", "y", "x", "y"]
    assert order("x", "x", "x") == ["x", "x", "x"]


def test_terms_make_articles_alike_whose_titles_differ() -> None:
    terms = tuple({"term": term} for term in ("missile", "launcher", "battery", "radar"))
    one, other, third = (replace(row, evidence=terms) for row in waiting("한국", "日本", "中国"))
    assert varied([one, other, replace(third, evidence=())]) == [one, replace(third, evidence=()), other]
    assert ALIKE < 4 / 6


@given(st.lists(st.sampled_from(["a b", "a b c", "d", "d e", "f", ""]), max_size=30))
def test_the_queue_keeps_every_article_once_and_the_most_uncertain_first(titles: list[str]) -> None:
    given_rows = waiting(*titles)
    found = varied(given_rows)
    assert sorted(row.id for row in found) == [row.id for row in given_rows]
    assert found[:1] == given_rows[:1]


# The commands


@pytest.fixture
async def here(tmp_path: Path) -> Place:
    """A directory with a database of five articles; three need review."""
    made = place(tmp_path)
    texts = ("Recipe for apple pie.", "Bread and cake.", make.TEXT, make.text(8), make.text(9))
    articles = [make.article(n, title=f"News of day {n}", text=text) for n, text in enumerate(texts)]
    unsure = make.tagged(score=0.45, needs_review=True)
    async with await open_store(made.environment()["DEFNEWS_DATABASE_URL"]) as store:
        await fill(store, articles, [make.tagged(), make.other(), unsure, unsure, make.verdict(needs_review=True)])
    return made


async def ids(here: Place, *words: str) -> list[str]:
    return [str(row["id"]) for row in (await here.run("search", *words)).rows]


async def test_label_prints_what_it_stored_and_show_tells_it(here: Place) -> None:
    key = (await ids(here))[0]
    said = await here.run("label", key, "no", "--who", "Ann")
    assert said.code == 0, said.err
    assert {name: said.row[name] for name in ("said", "who", "label", "needs_review")} == {
        "said": "no",
        "who": "Ann",
        "label": "other",
        "needs_review": False,
    }
    shown = (await here.run("show", key)).row
    assert (shown["person_label"], shown["label"]) == ("no", "other")
    assert [(label["label"], label["is_of_older_text"]) for label in shown["labels"]] == [("no", False)]
    here.ask("UPDATE articles SET text_hash = 'another'")
    (label,) = (await here.run("show", key)).row["labels"]
    assert label["is_of_older_text"] is True
    assert "label no; who Ann" in (await here.run("show", key, "--format", "table")).out


async def test_a_label_is_by_the_user_unless_another_is_named(here: Place) -> None:
    url = (await here.run("search")).rows[0]["url"]
    assert (await here.run("label", url, "borderline", LOGNAME="somebody")).row["who"] == "somebody"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(["label", "1", "maybe"], 2, "borderline", id="no label"),
        pytest.param(["label", "1", "yes"], 1, "no article 1", id="no article"),
        pytest.param(["search", "--country", "ZZ"], 2, "'ZZ'", id="no country to search"),
        pytest.param(["review", "--country", "Korea"], 2, "'KOREA'", id="no country to review"),
        pytest.param(["export", "x.csv", "--country", "KR", "--country", "UK"], 2, "'UK'", id="no country to export"),
        pytest.param(["reclassify", "--label", "x"], 2, "--label", id="no label to filter by"),
        pytest.param(["reclassify", "--format", "xml"], 2, "--format", id="no format"),
    ],
)
async def test_a_mistake_is_told_and_ends_with_its_code(here: Place, words: list[str], code: int, says: str) -> None:
    ended = await here.run(*words)
    assert (ended.code, says in ended.err) == (code, True), ended.err
    assert "Traceback" not in ended.err


async def test_search_and_export_know_countries_and_entities(here: Place) -> None:
    (row, *rest) = (await here.run("search", "--country", "kr", "--entity", "b-52h")).rows
    assert (row["countries"], len(rest)) == (["KR", "US"], 2)
    assert row["entities"][0] == {"name": "B-52H", "kind": "aircraft"}
    assert await ids(here, "--country", "JP") == await ids(here, "--entity", "KR") == []
    await here.run("export", "out.jsonl", "--entity", "RIMPAC")
    exported = [json.loads(line) for line in (here.directory / "out.jsonl").read_text().splitlines()]
    assert [(row["countries"], row["entities"][1]["kind"]) for row in exported] == [(["KR", "US"], "exercise")] * 3
    table = (await here.run("show", str(row["id"]), "--format", "table")).out
    assert "B-52H, RIMPAC" in table


async def test_search_says_how_many_and_what_they_have_in_common(here: Place) -> None:
    table = await here.run("search", "--format", "table", "--limit", "2")
    assert "showing 2 of 5" in table.err
    facets = (await here.run("search", "country:KR -country:JP", "--facets")).rows
    assert {"facet": "countries", "value": "KR", "articles": 3, "of": "3"} in facets
    assert {"facet": "entities", "value": "B-52H", "articles": 3, "of": "3"} in facets


async def test_review_is_the_queue_and_label_shortens_it(here: Place) -> None:
    queue = (await here.run("review")).rows
    assert [set(row) for row in queue] == [{"id", "score", "classifier", "lang", "title", "feed", "why"}] * 3
    assert queue[0]["why"] == ["air drills +1.5"]
    assert len((await here.run("review", "--limit", "1")).rows) == 1
    assert len((await here.run("review", "--country", "US")).rows) == 2
    await here.run("label", str(queue[0]["id"]), "yes")
    assert [row["id"] for row in (await here.run("review")).rows] == [row["id"] for row in queue[1:]]


async def test_reclassify_prints_flips_then_counts_and_does_it_once(here: Place) -> None:
    dry = (await here.run("reclassify", "--dry-run")).rows
    assert here.ask("SELECT count(*) FROM verdicts") == [(5,)]
    *flips, counts = (await here.run("reclassify")).rows
    assert [*flips, counts] == dry
    assert (counts["judged"], counts["skipped"], counts["to_other"]) == (5, 0, 1)
    assert flips[0]["change"] == ["to_other"]
    assert flips[0]["new_classifier"].partition("@")[0] != "test"
    assert here.ask("SELECT count(*) FROM verdicts") == [(10,)]
    assert here.ask("SELECT kind, state FROM runs ORDER BY id DESC LIMIT 1") == [("reclassify", "done")]
    assert (await here.run("reclassify")).row == {**dict.fromkeys(counts, 0), "skipped": 5}
    assert (await here.run("db", "check")).code == 0


@pytest.mark.parametrize("chosen", ["table", "json", "csv"])
async def test_every_format_has_the_flips_and_the_counts(here: Place, chosen: str) -> None:
    ended = await here.run("reclassify", "--dry-run", "--format", chosen)
    if chosen == "json":
        assert json.loads(ended.out)[-1]["judged"] == 5
    elif chosen == "csv":
        header, *rows = ended.out.splitlines()
        assert header.startswith("id,title,change,old_classifier")
        assert any("to_other" in row for row in rows)
        assert "judged 5" in ended.err
    else:
        assert "to_other" in ended.out
        assert "kept by person" in ended.out
