"""Verdicts and labels: which tags an article has, which label counts, what is judged again or asked about first."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.model import Article, Label, Outcome, Verdict
from pipeline.query import Filters, Query, parse
from pipeline.store import Ending, Found, Judgement, PollEnding, Said, Store
from pipeline.store.articles import text_hash
from pipeline.store.invariants import INVARIANTS, violations
from pipeline.store.tables import labels, tags, verdicts
from tests import make
from tests.make import AT
from tests.store.filling import fill

LATER = AT + timedelta(hours=3)


async def only(store: Store) -> Found:
    (found,) = await store.search.find(Query())
    return found


async def stored(store: Store, verdict: Verdict) -> Found:
    """The only article, stored with this verdict."""
    await fill(store, [make.article(1)], [verdict])
    return await only(store)


async def judged_again(store: Store, *given: Verdict) -> frozenset[int]:
    page = await store.verdicts.page(Query(), None, 10)
    articles = await store.verdicts.articles([standing.article_id for standing in page])
    run = await store.runs.start("reclassify", LATER)
    return await store.verdicts.put(
        [
            (s, Judgement(s.article_id, verdict, text_hash(articles[s.article_id].text), LATER, run.id))
            for s, verdict in zip(page, given, strict=True)
        ]
    )


async def revised(store: Store, article: Article, verdict: Verdict) -> None:
    """The only article is announced anew, with another text."""
    run = await store.runs.start("poll", LATER)
    ((feed, _),) = await store.feeds.claim(run.id, LATER, 1)
    entry = make.entry(1, id=article.url, url=article.url, updated_at=LATER)
    await store.feeds.finish(PollEnding(feed, run.id, make.state(), LATER, (entry,)))
    (work,) = await store.work.claim(run.id, LATER, 1)
    assert work.is_revision
    await store.endings.put(Ending(work, LATER, Outcome.STORED, article, verdict))


async def tags_of(store: Store) -> set[tuple[str, str]]:
    async with store.db.read() as c:
        return {(row.kind, row.name) for row in await c.execute(select(tags))}


async def holds(store: Store) -> bool:
    return await violations(store.db) == [0] * len(INVARIANTS)


async def test_a_verdict_is_stored_whole(store: Store) -> None:
    given = make.tagged(base=-1.25)
    await stored(store, given)
    async with store.db.read() as c:
        row = (await c.execute(select(verdicts))).one()
    assert (row.base, row.tagger, row.countries) == (-1.25, "tags@1", ["KR", "US"])
    assert row.entities == [{"name": "B-52H", "kind": "aircraft"}, {"name": "RIMPAC", "kind": "exercise"}]


async def test_tags_are_those_of_the_newest_verdict(store: Store) -> None:
    await stored(store, make.tagged())
    assert await tags_of(store) == {
        *(("topic", topic) for topic in ("operations", "policy")),
        *(("country", country) for country in ("KR", "US")),
        *(("entity", name) for name in ("b-52h", "rimpac")),
    }
    await judged_again(store, make.tagged(topics=("weapons",), countries=("JP",), entities=()))
    assert await tags_of(store) == {("topic", "weapons"), ("country", "JP")}
    found = await only(store)
    assert (found.topics, found.countries, found.entities) == (("weapons",), ("JP",), ())


async def test_a_name_that_is_said_twice_is_one_tag(store: Store) -> None:
    await stored(store, make.tagged(countries=("KR", "KR"), entities=(("K2", "tank"), ("k2", "rifle"))))
    assert {tag for tag in await tags_of(store) if tag[0] != "topic"} == {("country", "KR"), ("entity", "k2")}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ((Said.YES,), Label.DEFENSE),
        ((Said.NO,), Label.OTHER),
        ((Said.BORDERLINE,), Label.DEFENSE),
        ((Said.NO, Said.YES), Label.DEFENSE),
        ((Said.YES, Said.NO), Label.OTHER),
        ((Said.NO, Said.BORDERLINE), Label.DEFENSE),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else value,
)
async def test_the_newest_label_counts_and_ends_the_review(store: Store, said: Sequence[Said], shown: Label) -> None:
    article = await stored(store, make.verdict(needs_review=True))
    for word in said:
        given = await store.labels.add(article.id, word, "me", LATER)
    assert (given.label, given.needs_review) == (shown, False)
    found = await only(store)
    assert (found.label, found.needs_review, found.score) == (shown, False, 0.9)
    known = await store.provenance.of_article(article.id)
    assert known is not None
    assert [row["label"] for row in known.labels] == [*reversed(said)]
    assert await holds(store)


async def test_a_label_names_who_when_and_on_which_text(store: Store) -> None:
    article = await stored(store, make.verdict())
    given = await store.labels.add(article.id, Said.NO, "Ann", LATER)
    async with store.db.read() as c:
        row = (await c.execute(select(labels))).one()
    assert (row.label, row.who, row.created_at, row.text_hash) == ("no", "Ann", LATER, text_hash(make.TEXT))
    assert (given.said, given.who, given.created_at, given.text_hash) == ("no", "Ann", LATER, row.text_hash)


@pytest.mark.parametrize("is_revision", [True, False], ids=["revision", "reclassify"])
@pytest.mark.parametrize(
    ("said", "shown"), [(Said.YES, Label.DEFENSE), (Said.NO, Label.OTHER), (Said.BORDERLINE, Label.OTHER)]
)
async def test_a_label_stays_in_force_after_a_new_verdict(
    store: Store, said: Said, shown: Label, is_revision: bool
) -> None:
    article = await stored(store, make.verdict())
    await store.labels.add(article.id, said, "me", LATER)
    newer = make.other(needs_review=True)
    if is_revision:
        await revised(store, make.article(1, text="Another text altogether."), newer)
    else:
        await judged_again(store, newer)
    found = await only(store)
    assert (found.label, found.needs_review, found.score) == (shown, False, newer.score)
    assert await holds(store)


async def test_a_search_sees_the_label_of_a_person(store: Store) -> None:
    article = await stored(store, make.verdict(needs_review=True))
    await store.labels.add(article.id, Said.NO, "me", LATER)
    for label, count in (("defense", 0), ("review", 0), ("other", 1)):
        assert len(await store.search.find(Query(filters=Filters(labels=(label,))))) == count


FACTS = {"section": "Sea", "tags": ("navy", "frigate"), "is_teaser": True}


async def test_articles_come_page_by_page_newest_first_as_they_were_stored(store: Store) -> None:
    given = [make.article(n, lang=None, authors=("A. B.",), site_name="Site", **FACTS) for n in range(1, 6)]
    await fill(store, given, [make.verdict()] * 5)
    pages, before = [], None
    while page := await store.verdicts.page(Query(), before, 2):
        before = page[-1].article_id
        pages.append(await store.verdicts.articles([standing.article_id for standing in page]))
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [article for page in pages for _, article in sorted(page.items(), reverse=True)] == given


async def test_a_page_holds_what_matches(store: Store) -> None:
    await fill(store, [make.article(1, title="Tanks"), make.article(2)], [make.tagged(), make.other()])
    asked: tuple[Query, ...] = (
        Query(parse("tanks", AT)),
        Query(filters=Filters(labels=("defense",))),
        Query(filters=Filters(countries=("KR",))),
    )
    for query in asked:
        (standing,) = await store.verdicts.page(query, None, 10)
        assert standing.title == "Tanks"


async def test_a_standing_is_of_the_newest_verdict_and_label(store: Store) -> None:
    article = await stored(store, make.verdict(classifier="old@1"))
    await judged_again(store, make.other(classifier="new@1", tagger="tags@1"))
    for said in (Said.NO, Said.YES):
        await store.labels.add(article.id, said, "me", LATER)
    (standing,) = await store.verdicts.page(Query(), None, 10)
    assert (standing.classifier, standing.tagger, standing.verdict_label) == ("new@1", "tags@1", "other")
    assert (standing.said, standing.label, standing.needs_review) == ("yes", "defense", False)
    assert standing.text_hash == standing.judged_hash == text_hash(make.TEXT)


async def test_old_verdicts_are_kept(store: Store) -> None:
    article = await stored(store, make.verdict(classifier="old@1"))
    assert await judged_again(store, make.other(classifier="new@1")) == {article.id}
    known = await store.provenance.of_article(article.id)
    assert known is not None
    assert [(row["classifier"], row["label"]) for row in known.verdicts] == [("new@1", "other"), ("old@1", "defense")]
    assert known.found.label == "other"


async def test_an_article_that_was_judged_meanwhile_keeps_that_verdict(store: Store) -> None:
    await stored(store, make.verdict(classifier="old@1"))
    (standing,) = await store.verdicts.page(Query(), None, 10)
    await judged_again(store, make.verdict(classifier="rival@1"))
    run = await store.runs.start("reclassify", LATER)
    late = Judgement(standing.article_id, make.other(), standing.text_hash, LATER, run.id)
    assert await store.verdicts.put([(standing, late)]) == frozenset()
    (now,) = await store.verdicts.page(Query(), None, 10)
    assert (now.classifier, now.label) == ("rival@1", "defense")


async def doubtful(store: Store, **filters: Any) -> list[str]:
    return [row.title for row in await store.labels.doubtful(Query(filters=Filters(**filters)), 100)]


async def test_the_nearest_to_the_threshold_of_each_language_and_classifier_come_first(store: Store) -> None:
    def unsure(score: float, **changes: Any) -> Verdict:
        return make.verdict(score=score, needs_review=True, **changes)

    articles = [
        make.article(n, title=title, lang=title[:2])
        for n, title in enumerate(("en far", "en near", "en nearer", "ko far", "ko new", "en sure"))
    ]
    given = (
        unsure(0.7),
        unsure(0.55),
        unsure(0.49),
        unsure(0.9),
        unsure(0.25, classifier="b@1", threshold=0.25),
        make.verdict(),
    )
    await fill(store, articles, given)
    assert await doubtful(store) == ["ko new", "en nearer", "ko far", "en near", "en far"]
    assert await doubtful(store, langs=("ko",)) == ["ko new", "ko far"]
    assert [row.title for row in await store.labels.doubtful(Query(), 2)] == ["ko new", "en nearer"]


async def test_what_a_person_has_labelled_leaves_the_queue(store: Store) -> None:
    await fill(store, [make.article(1), make.article(2)], [make.verdict(needs_review=True)] * 2)
    first, second = await store.labels.doubtful(Query(), 10)
    await store.labels.add(first.id, Said.BORDERLINE, "me", LATER)
    assert await store.labels.doubtful(Query(), 10) == (second,)
    assert (second.feed, second.evidence[0]["term"]) == ("Feed 1", "air drills")


async def test_a_label_wins_over_a_verdict_that_is_written_at_the_same_moment(store: Store) -> None:
    """The label is committed after the standing was read, before the verdict is written."""
    article = await stored(store, make.verdict(needs_review=True))
    page = await store.verdicts.page(Query(), None, 10)
    run = await store.runs.start("reclassify", LATER)
    await store.labels.add(article.id, Said.YES, "me", LATER)
    verdict = make.other(needs_review=True)
    await store.verdicts.put([(s, Judgement(s.article_id, verdict, s.text_hash, LATER, run.id)) for s in page])
    found = await only(store)
    assert (found.label, found.needs_review, found.score) == ("defense", False, verdict.score)
