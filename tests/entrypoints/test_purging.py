"""`defnews db purge`: the settings say whose texts go; what is left tells what they were."""

from pathlib import Path

import pytest

from tests.running import healed, place, serving

OLDER = "UPDATE articles SET stored_at = stored_at - 40 * 86400000000"


async def test_texts_go_as_the_settings_say_and_a_poll_brings_none_back(tmp_path: Path) -> None:
    rules = {"DEFNEWS_RETENTION__OTHER_DAYS": "30"}
    async with serving() as server:
        healed(server)
        here = place(tmp_path, server.room.feeds)
        polled = (await here.run("poll")).row
        count = polled["stored"] - polled["defense"]
        assert (await here.run("db", "purge", **rules)).row == {"due": {}, "purged": 0}
        here.ask(OLDER)
        assert (await here.run("db", "purge", "--dry-run", **rules)).row == {"due": {"other": count}, "purged": 0}
        assert (await here.run("db", "purge", **rules)).row == {"due": {"other": count}, "purged": count}
        assert (await here.run("poll", "--all")).row["stored"] == 0
    assert here.ask("SELECT count(*) FROM texts") == [(polled["defense"],)]
    assert len((await here.run("search", "--limit", "500")).rows) == polled["defense"]
    ((purged,),) = here.ask("SELECT id FROM articles WHERE purged_at IS NOT NULL LIMIT 1")
    told = (await here.run("show", str(purged))).row
    assert (told["text"], told["label"], told["purged_at"] is None) == ("", "other", False)
    assert all(row["holds"] for row in (await here.run("db", "check")).rows)


@pytest.mark.parametrize("words", [("db", "purge"), ("run",)], ids=" ".join)
async def test_a_rule_for_a_feed_that_there_is_not_is_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    here = place(tmp_path)
    await here.run("db", "upgrade")
    ended = await here.run(*words, DEFNEWS_RETENTION__FEEDS='{"https://x.example/feed": 9}')
    assert (ended.code, "no such feed: https://x.example/feed" in ended.err) == (1, True)
