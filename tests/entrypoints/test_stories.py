"""`defnews stories` and what other commands tell of stories."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.store import open_store
from tests.make import AT
from tests.running import Place, place
from tests.store.test_stories import DRILL, FRIGATE, put, reports

ALONE = ("Norway orders K9 howitzers", "Oslo signed for 24 more self-propelled howitzers of Hanwha, its ministry said.")


@pytest.fixture
async def here(tmp_path: Path) -> Place:
    """A database with two stories and an article that is alone."""
    here = place(tmp_path)
    async with await open_store(f"sqlite:///{here.database}") as store:
        await put(store, [*reports(DRILL), *reports(FRIGATE, 11), *reports([ALONE], 30, AT - timedelta(days=9))])
    return here


async def test_stories_are_listed_with_who_tells_of_them(here: Place) -> None:
    newest, other = (await here.run("stories")).rows
    assert (newest["size"], newest["outlets"], newest["families"]) == (2, 2, 2)
    assert (other["size"], other["first_at"], other["last_at"]) == (3, "2025-07-11T13:00:00Z", "2025-07-11T15:00:00Z")
    (largest,) = (await here.run("stories", "--sort", "size", "--min-outlets", "3", "--country", "kr")).rows
    assert largest["id"] == other["id"]
    (after,) = (await here.run("stories", "--cursor", newest["cursor"])).rows
    assert after == other
    wrong = await here.run("stories", "--sort", "oldest")
    assert (wrong.code, "newest, size, growth" in wrong.err) == (2, True)


async def test_a_story_says_why_its_reports_belong_together(here: Place) -> None:
    (story,) = (await here.run("stories", "--sort", "size", "--limit", "1")).rows
    shown = (await here.run("stories", "show", str(story["id"]))).row
    assert shown["corroboration"].startswith("reported by 3 outlets of 3 families")
    first, second, _ = shown["reports"]
    assert (first["site"], first["names"], first["score"]) == ("site1.example", [], 0)
    assert {"Jeju", "B-52H"} <= set(second["names"])
    assert second["days"] == ["2025-07-11"]
    assert second["score"] > 0.5
    table = (await here.run("stories", "show", str(story["id"]), "--format", "table")).out
    assert table.splitlines()[1] == shown["corroboration"]
    assert len((await here.run("stories", "show", str(story["id"]), "--format", "csv")).out.splitlines()) == 4
    assert (await here.run("stories", "show", "1")).code == 1


async def test_other_commands_know_stories(here: Place) -> None:
    (story,) = (await here.run("stories", "--sort", "size", "--limit", "1")).rows
    heads = (await here.run("search", "--group", "story")).rows
    assert [(head["more"], head["story"] == story["id"]) for head in heads] == [(1, False), (2, True), (0, False)]
    assert len((await here.run("search", "--story", str(story["id"]))).rows) == 3
    assert (await here.run("search", "--group", "story", "--sort", "relevance", "jeju")).code == 2
    assert (await here.run("search", "--group", "site")).code == 2
    shown = (await here.run("show", str(heads[1]["id"]))).row
    assert (shown["story"], len(shown["reports"])) == (story["id"], 2)
    assert shown["corroboration"].startswith("reported by 3 outlets")
    alone = (await here.run("show", str(heads[2]["id"]))).row
    assert (alone["corroboration"], alone["reports"]) == (None, [])


async def test_people_split_and_merge(here: Place) -> None:
    one, two = [str(row["id"]) for row in (await here.run("stories", "--sort", "size")).rows]
    taken = (await here.run("stories", "show", one)).row["reports"][1]["id"]
    split = (await here.run("stories", "split", one, str(taken))).row
    assert split == {"story": taken, "from": int(one), "articles": [taken]}
    merged = (await here.run("stories", "merge", one, two)).row
    assert merged == {"story": int(one), "merged": [int(two)]}
    (left,) = (await here.run("stories")).rows
    assert left["size"] == 4
    trail = (await here.run("show", str(taken))).row["trail"]
    assert trail[-1]["detail"] == {"from": int(one), "to": taken}
    assert (await here.run("stories", "split", two, str(taken))).code == 2


async def test_articles_without_a_story_find_theirs(here: Place) -> None:
    before = (await here.run("stories")).out
    here.ask("DELETE FROM stories")
    here.ask("DELETE FROM story_members")
    here.ask("DELETE FROM story_keys")
    assert (await here.run("stories", "find")).row == {"sketched": 6}
    assert (await here.run("stories", "find")).row == {"sketched": 0}
    assert (await here.run("stories")).out == before
