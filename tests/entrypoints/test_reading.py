"""What `show` tells of an article that was reprinted and revised, as JSON and for people."""

from typing import Any

import pytest

from pipeline.entrypoints import reading
from pipeline.store import Store
from tests import make
from tests.make import AT
from tests.store.test_kin import CUT, WHOLE, copy, put, works_of
from tests.store.test_work import a_run

PLACE = "SEOUL (Yonhap) -- "
REVISED = WHOLE.replace("Jejua", "Cheju") + "\nA paragraph was added."


@pytest.fixture
async def shown(store: Store) -> dict[str, Any]:
    """An article that appeared twice, and was changed twice."""
    run = await a_run(store)
    (work,) = (await works_of(store, run, 1)).values()
    await put(store, work, copy(1, PLACE + WHOLE))
    (work,) = (await works_of(store, run, 2)).values()
    ended = await put(store, work, copy(2, f"{CUT}\nSource: Xinhua", site_name="The Daily"))
    for hour, text in enumerate((PLACE + REVISED, PLACE + REVISED + "\nAnd another."), start=1):
        (work,) = (await works_of(store, run, 1, later=hour)).values()
        await put(store, work, copy(1, text))
    known = await store.provenance.of_article(ended.article_id or 0)
    assert known is not None
    return reading.describe(known)


async def test_show_tells_where_a_text_appeared_and_how_much_of_it(shown: dict[str, Any]) -> None:
    assert shown["agency"] == "Yonhap"
    first, second = shown["appearances"]
    assert (first["site"], first["shared"], first["outlet"]) == ("site1.example", None, None)
    assert (second["site"], second["outlet"], second["agency"]) == ("site2.example", "The Daily", "Xinhua")
    assert (second["url"], second["title"]) == ("https://site2.example/news/2", "Title 2 of its own")
    assert 0.9 < second["shared"] <= 1
    assert second["seen_at"] == AT


async def test_show_tells_what_was_changed_each_time(shown: dict[str, Any]) -> None:
    earlier, later = shown["revisions"]
    assert (earlier["revised_at"], earlier["title"]) == (AT, [])
    edited, added = earlier["text"]
    assert edited["change"] == "edited"
    assert "[-Jejua-] {+Cheju+}" in edited["words"]
    assert added == {"change": "added", "words": "A paragraph was added."}
    assert later["text"] == [{"change": "added", "words": "And another."}]


async def test_a_person_reads_the_changes_under_their_time(
    shown: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    reading.print_article(shown, "table")
    told = capsys.readouterr().out
    assert "revised 2025-07-11T12:00:00Z\n  text ~ " in told
    assert "  text + And another.\n" in told
    assert "outlet The Daily; title Title 2 of its own; agency Xinhua; shared " in told


async def test_an_article_that_was_never_changed_has_no_revisions(store: Store) -> None:
    run = await a_run(store)
    (work,) = (await works_of(store, run, 1)).values()
    ended = await put(store, work, make.article(1))
    known = await store.provenance.of_article(ended.article_id or 0)
    assert known is not None
    assert reading.describe(known)["revisions"] == []
