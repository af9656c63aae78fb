"""Reprints in the store: a copy of a stored text becomes its appearance; a changed text changes what is looked up."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from pipeline.model import Article, Outcome
from pipeline.stages.dedup import MARKS, fingerprint
from pipeline.store import Ending, Run, Store, Work, kin
from pipeline.store.kin import KEPT, MOST_OF_MARK
from pipeline.store.tables import marks, reprints, revisions
from tests import make
from tests.make import AT
from tests.store.test_work import a_run, polled

LINES = [
    " ".join(f"{word}{line}" for word in make.TEXT.split()[:18]) for line in ("a", "b", "c", "d", "e", "f", "g", "h")
]
WHOLE = "\n".join(LINES)
EDITED = "\n".join([*LINES[:6], "This paragraph was written anew by another desk.", LINES[7]])
CUT = "\n".join(LINES[:6])


def copy(number: int, text: str = WHOLE, **changes: str) -> Article:
    return make.article(number, text=text, title=f"Title {number} of its own", **changes)


async def works_of(store: Store, run: Run, *numbers: int, later: int = 0) -> dict[str, Work]:
    """Poll a feed that announces entries, and claim them."""
    at = AT + timedelta(hours=later)
    await polled(store, run, *(make.entry(number, updated_at=at) for number in numbers))
    return {work.lead.entry.id: work for work in await store.work.claim(run.id, AT + timedelta(days=9), 100)}


async def put(store: Store, work: Work, article: Article) -> Ending:
    return await store.endings.put(Ending(work, AT, Outcome.STORED, article, make.verdict()))


async def both(store: Store, first: Article, second: Article) -> tuple[Ending, Ending]:
    """Store two articles, one after the other."""
    run = await a_run(store)
    one, two = (await works_of(store, run, 1, 2)).values()
    return await put(store, one, first), await put(store, two, second)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(WHOLE, "same-text", id="the same"),
        pytest.param(EDITED, "near-duplicate", id="edited"),
        pytest.param(CUT, "syndicated", id="cut"),
    ],
)
async def test_a_copy_elsewhere_is_a_duplicate_and_says_what_it_shares(store: Store, text: str, reason: str) -> None:
    first, second = await both(store, copy(1), copy(2, text, site_name="The Daily"))
    assert first.outcome is Outcome.STORED
    assert (second.outcome, second.article_id, second.reason) == (Outcome.DUPLICATE, first.article_id, reason)
    assert (second.detail or "").endswith("% of its text")
    async with store.db.read() as c:
        (row,) = (await c.execute(select(reprints))).all()
    assert (row.url, row.outlet, row.title) == ("https://site2.example/news/2", "The Daily", "Title 2 of its own")
    assert 0.55 < row.shared <= 1


async def test_the_url_of_a_copy_leads_to_the_article_and_is_not_fetched_again(store: Store) -> None:
    first, _ = await both(store, copy(1), copy(2))
    assert await store.provenance.find_article("https://site2.example/news/2") == first.article_id
    told = {entry.url: entry.reason for entry in await store.provenance.of_url("https://site2.example/news/2")}
    assert told["https://site2.example/news/2"] == "same-text"
    run = await a_run(store)
    await polled(store, run, make.entry(2, id="another entry"), feed=make.feed(2))
    (again,) = await store.work.claim(run.id, AT, 10)
    assert (again.article_id, again.is_revision) == (first.article_id, False)


async def test_two_copies_in_one_batch_are_one_article(store: Store) -> None:
    run = await a_run(store)
    works = (await works_of(store, run, 1, 2, 3)).values()
    batch = [
        Ending(work, AT, Outcome.STORED, copy(number, text), make.verdict())
        for number, (work, text) in enumerate(zip(works, (WHOLE, CUT, make.text(9)), strict=True), start=1)
    ]
    settled = await store.endings._write(batch)
    assert [ending.outcome for ending in settled] == [Outcome.STORED, Outcome.DUPLICATE, Outcome.STORED]
    assert settled[0].article_id == settled[1].article_id != settled[2].article_id


async def test_of_several_kin_the_one_that_shares_most_is_meant(store: Store) -> None:
    run = await a_run(store)
    mixed = "\n".join([*LINES[:4], make.text(7)])
    for number, text in ((1, "\n".join(LINES[:4])), (2, mixed)):
        (work,) = (await works_of(store, run, number)).values()
        await put(store, work, copy(number, text))
    (work,) = (await works_of(store, run, 3)).values()
    ended = await put(store, work, copy(3, mixed))
    assert ended.reason == "same-text"


async def test_a_copy_that_is_announced_anew_does_not_overwrite_the_article(store: Store) -> None:
    run = await a_run(store)
    for number in (1, 2):
        (work,) = (await works_of(store, run, number)).values()
        ended = await put(store, work, copy(number, canonical_url=f"https://one.example/{number}"))
    (again,) = (await works_of(store, run, 2, later=1)).values()
    assert again.is_revision
    changed = copy(2, "An editor of the copy wrote this.", canonical_url="https://one.example/2")
    assert (await put(store, again, changed)).outcome is Outcome.DUPLICATE
    known = await store.provenance.of_article(ended.article_id or 0)
    assert known is not None
    assert known.found.text == WHOLE


async def test_an_article_that_is_announced_anew_under_a_new_link_is_revised_and_stays_stored(store: Store) -> None:
    run = await a_run(store)
    (work,) = (await works_of(store, run, 1)).values()
    first = await put(store, work, copy(1))
    moved = "https://site1.example/corrected"
    for hour, text in enumerate((EDITED, f"{EDITED}\nOne more."), 1):
        await polled(store, run, replace(make.entry(1), url=moved, updated_at=AT + timedelta(hours=hour)))
        (work,) = await store.work.claim(run.id, AT + timedelta(days=9 + hour), 10)
        ended = await put(store, work, copy(1, text, url=moved, canonical_url=moved))
        assert (ended.outcome, ended.article_id, ended.reason) == (Outcome.STORED, first.article_id, "revised")
    known = await store.provenance.of_article(first.article_id or 0)
    assert known is not None
    assert (known.found.text, len(known.revisions)) == (f"{EDITED}\nOne more.", 2)


async def test_a_report_that_says_more_than_the_flash_before_it_is_stored_beside_it(store: Store) -> None:
    more = " ".join(f"{word}{line}" for line in "ijklm" for word in make.TEXT.split()[:18])
    first, second = await both(store, copy(1), copy(2, f"{WHOLE}\n{more}"))
    assert (first.outcome, second.outcome) == (Outcome.STORED, Outcome.STORED)


async def test_a_copy_whose_entry_gets_another_link_says_what_its_new_page_shares(store: Store) -> None:
    run = await a_run(store)
    for number in (1, 2):
        (work,) = (await works_of(store, run, number)).values()
        await put(store, work, copy(number))
    moved = replace(make.entry(2), url="https://site2.example/moved", updated_at=AT + timedelta(hours=1))
    await polled(store, run, moved)
    (work,) = await store.work.claim(run.id, AT + timedelta(days=9), 10)
    await put(store, work, copy(2, CUT, url="https://site2.example/moved", canonical_url="https://site2.example/moved"))
    async with store.db.read() as c:
        assert (await c.execute(select(reprints.c.url))).scalars().all() == ["https://site2.example/moved"]


async def test_a_revision_keeps_what_was_said_before_and_is_found_by_its_new_text(store: Store) -> None:
    run = await a_run(store)
    (work,) = (await works_of(store, run, 1)).values()
    first = await put(store, work, copy(1))
    (again,) = (await works_of(store, run, 1, later=1)).values()
    assert (await put(store, again, copy(1, make.text(5)))).reason == "revised"
    async with store.db.read() as c:
        (before,) = (await c.execute(select(revisions))).all()
    assert (before.article_id, before.title, before.body) == (first.article_id, "Title 1 of its own", WHOLE)
    works = await works_of(store, run, 2, 3)
    of_old = await put(store, works[make.entry(2).id], copy(2, WHOLE))
    of_new = await put(store, works[make.entry(3).id], copy(3, make.text(5)))
    assert of_old.outcome is Outcome.STORED
    assert (of_new.outcome, of_new.article_id) == (Outcome.DUPLICATE, first.article_id)


async def test_the_agency_of_an_article_and_of_a_copy_is_kept(store: Store) -> None:
    first, _ = await both(store, copy(1, f"SEOUL (Yonhap) -- {WHOLE}"), copy(2, f"{WHOLE}\nSource: Xinhua"))
    known = await store.provenance.of_article(first.article_id or 0)
    assert known is not None
    assert known.found.agency == "Yonhap"
    assert {entry.url: entry.agency for entry in known.appearances} == {
        "https://site1.example/news/1": None,
        "https://site2.example/news/2": "Xinhua",
    }


async def test_an_unchanged_page_that_is_announced_anew_is_no_revision(store: Store) -> None:
    run = await a_run(store)
    for hour in (0, 1):
        (work,) = (await works_of(store, run, 1, later=hour)).values()
        ended = await put(store, work, copy(1))
    assert ended.reason == "unchanged"
    async with store.db.read() as c:
        assert (await c.execute(select(func.count()).select_from(revisions))).scalar() == 0


async def test_a_phrase_that_many_articles_share_is_kept_for_a_few_of_them(store: Store) -> None:
    run = await a_run(store)
    several = 2 * MOST_OF_MARK
    own = ["\n".join(f"{line}{number}" for line in make.TEXT.split()) for number in range(several)]
    works = list((await works_of(store, run, *range(several))).values())
    batch = [
        Ending(work, AT, Outcome.STORED, copy(number, f"{make.TEXT}\n{own[number]}"), make.verdict())
        for number, work in enumerate(works)
    ]
    for half in (batch[: several // 2], batch[several // 2 :]):
        assert {ending.outcome for ending in await store.endings._write(half)} == {Outcome.STORED}
    async with store.db.read() as c:
        held = Counter((await c.execute(select(marks.c.mark))).scalars())
    assert max(held.values()) == MOST_OF_MARK
    assert held.total() == KEPT * several


async def test_a_text_whose_smallest_marks_others_have_filled_is_kept_by_its_next_ones(store: Store) -> None:
    run = await a_run(store)
    works = (await works_of(store, run, *range(MOST_OF_MARK + 1))).values()
    batch = [
        Ending(work, AT, Outcome.STORED, make.article(number, text=make.text(number)), make.verdict())
        for number, work in enumerate(works)
    ]
    *others, last = sorted(ending.article_id or 0 for ending in await store.endings._write(batch))
    every = replace(fingerprint("a.example", "", WHOLE), marks=tuple(range(MARKS)))
    async with store.db.write() as c:
        await c.execute(marks.delete())
        await kin.mark(c, dict.fromkeys(others, every))
        await kin.mark(c, {last: every})
        held = (await c.execute(select(marks.c.mark).where(marks.c.article_id == last))).scalars()
        assert sorted(held) == list(range(KEPT, MARKS))
        await kin.forget(c, last, every)
        assert (await c.execute(select(marks).where(marks.c.article_id == last))).all() == []
