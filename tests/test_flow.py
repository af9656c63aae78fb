"""The whole flow on the newsroom: what is stored is what the newsroom's writers wrote, however it came in."""

import asyncio
import json
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline import urls
from pipeline.newsroom import Server
from pipeline.newsroom.sites import SITES
from pipeline.stages import remember, substitute
from pipeline.stages.extract import FEED_CONTENT
from pipeline.store import types
from tests.running import ROWS, Place, healed, place, serving
from tests.web.internet import reply
from tests.web.internet import serving as answering

WHOLE = ("backfill", "--since", "60d", "--via", "sitemap")


def stored_in_feeds(server: Server) -> set[str]:
    """The URLs that polling alone can store."""
    return {a.url for a in server.room.articles if a.outcome == "stored" and a.feeds}


async def test_a_poll_stores_what_the_feeds_hold_as_it_was_written(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        summary = (await here.run("poll")).row
    healing = {url for url, fault in server.room.faults.items() if fault.count}
    urls = {row[0] for row in here.ask("SELECT canonical_url FROM articles")}
    assert stored_in_feeds(server) - healing <= urls
    assert (summary["polled"], summary["failed"]) == (len(server.room.feeds), 0)
    assert summary["stored"] == len(urls) == here.ask("SELECT count(*) FROM texts")[0][0]
    assert summary["waiting"] == len(healing)
    titles = dict(here.ask("SELECT canonical_url, title FROM articles"))
    truth = server.room.truth
    wrong = {url for url, title in titles.items() if url in truth and truth[url].title not in title}
    assert wrong == set()


async def test_most_verdicts_agree_with_the_writers(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        await here.run("poll")
    truth = {a.url: a.label for a in server.room.articles if a.lang == "en"}
    judged = [
        (label == "defense", truth[url])
        for url, label in here.ask("SELECT canonical_url, label FROM articles")
        if url in truth
    ]
    assert sum(ours == theirs for ours, theirs in judged) / len(judged) > 0.85


async def test_daemon_and_backfill_lead_to_the_same_rows(tmp_path: Path) -> None:
    async with serving() as server:
        healed(server)
        polled, filled, kept = (place(tmp_path / name, server.room.feeds) for name in ("daemon", "sitemap", "feed"))
        await run_daemon_until(polled, len(stored_in_feeds(server)))
        await filled.run(*WHOLE)
        await kept.run("backfill", "--since", "60d", "--via", "feed")
    by_daemon, by_sitemap, by_feed = (set(here.ask(ROWS)) for here in (polled, filled, kept))
    assert by_daemon == by_feed
    both = {row[0] for row in by_daemon} & {row[0] for row in by_sitemap}
    assert len(both) > 30
    assert {row for row in by_daemon if row[0] in both} == {row for row in by_sitemap if row[0] in both}


async def run_daemon_until(here: Place, articles: int) -> None:
    """Run the daemon until so many articles are stored and nothing is claimed, then stop it."""
    daemon = await here.start("run", DEFNEWS_INGEST__TICK_S="0.2")
    for _ in range(1500):
        await asyncio.sleep(0.1)
        if not here.database.exists():
            continue
        try:
            done = here.ask(
                "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM entries WHERE state = 'claimed')"
            )
        except Exception:  # noqa: BLE001 - the schema is being made
            continue
        if done[0][0] >= articles and done[0][1] == 0:
            break
    daemon.send_signal(signal.SIGTERM)
    _, err = await asyncio.wait_for(daemon.communicate(), 30)
    assert daemon.returncode == 0, err.decode()


async def test_a_backfill_finds_what_the_feeds_no_longer_hold(tmp_path: Path) -> None:
    async with serving() as server:
        healed(server)
        here = place(tmp_path, server.room.feeds)
        await here.run("poll")
        before = {row[0] for row in here.ask("SELECT canonical_url FROM articles")}
        done = (await here.run(*WHOLE)).row
        again = (await here.run(*WHOLE)).row
    listed = {a.url for a in server.room.articles if a.in_sitemap and a.outcome == "stored"}
    after = {row[0] for row in here.ask("SELECT canonical_url FROM articles")}
    assert listed - before
    assert listed <= after
    assert done["stored"] == len(after - before)
    assert (again["new"], again["stored"]) == (0, 0)


async def test_what_a_site_puts_into_every_article_is_left_out_after_three(tmp_path: Path) -> None:
    promos = {site.key: site.promo for site in SITES if site.promo}
    async with serving() as server:
        healed(server)
        here = place(tmp_path, server.room.feeds)
        await here.run(*WHOLE, DEFNEWS_INGEST__SITE_MEMORY="true")
    texts = dict(here.ask("SELECT a.canonical_url, t.body FROM articles a JOIN texts t ON t.article_id = a.id"))
    of_site = {key: [a for a in server.room.articles if a.site == key and a.url in texts] for key in promos}
    for key, articles in of_site.items():
        read = [(types.unpack(texts[a.url]) or "", a.text) for a in articles]
        assert len(read) > 6
        assert sum(promos[key] in text for text, _ in read) == remember.ENOUGH
        assert all(set(truth.split("\n")) <= set(text.split("\n")) for text, truth in read)
    used = "SELECT DISTINCT a.site_memory, v.site_memory FROM articles a JOIN verdicts v ON v.article_id = a.id"
    sites = {urls.site(articles[0].url) for articles in of_site.values()}
    assert {row for row in here.ask(used) if row[0]} == {(f"{site}@1", f"{site}@1") for site in sites}


async def test_a_feed_that_carries_its_pages_is_believed_after_five_and_looked_at_now_and_then(tmp_path: Path) -> None:
    async with serving(extra=230, holds=30) as server:
        here = place(tmp_path, [feed for feed in server.room.feeds if feed.site == "westmark"])
        held = [a for a in server.room.articles if a.site == "westmark" and a.feeds and a.outcome == "stored"]
        await here.run("poll", DEFNEWS_INGEST__TRUST_FEEDS="true")
        asked = {seen.url for seen in server.log} & {a.url for a in held}
    stored = here.ask("SELECT canonical_url, title, extractor FROM articles")
    assert {row[:2] for row in stored} == {(a.url, a.title) for a in held}
    by_feed = {url for url, _, extractor in stored if extractor == FEED_CONTENT}
    assert (asked & by_feed, asked | by_feed) == (set(), {a.url for a in held})
    assert len(by_feed) > len(held) / 2
    assert here.ask("SELECT agreed, is_doubted FROM feed_trusts") == [(substitute.ENOUGH, 0)]


async def test_a_backfill_keeps_to_its_range(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        newest = max(a.published_at for a in server.room.articles)
        since, until = ((newest - timedelta(days=days)).date().isoformat() for days in (12, 6))
        done = (await here.run("backfill", "--since", since, "--until", until, "--via", "sitemap")).row
    expected = {
        a.url
        for a in server.room.articles
        if a.in_sitemap and a.outcome == "stored" and since <= a.published_at.date().isoformat() <= until
    }
    assert {row[0] for row in here.ask("SELECT canonical_url FROM articles")} == expected
    assert done["stored"] == len(expected)


async def test_a_list_of_urls_is_ingested_and_bad_lines_are_named(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        wanted = sorted(a.url for a in server.room.articles if a.outcome == "stored" and a.url == a.link)[:4]
        (tmp_path / "urls.txt").write_text("\n".join(["# a comment", *wanted, "", "javascript:alert(1)", wanted[0]]))
        ended = await here.run("backfill", "--input", "urls.txt")
    assert ended.code == 0
    assert (ended.row["new"], ended.row["bad_lines"], ended.row["stored"]) == (4, 1, 4)
    assert "urls.txt, line 7" in ended.err
    assert {row[0] for row in here.ask("SELECT canonical_url FROM articles")} == set(wanted)


async def kill_when(here: Place, command: tuple[str, ...], articles: int, **more: str) -> None:
    """Start a command and kill -9 it as soon as so many articles are stored."""
    process = await here.start(*command, DEFNEWS_WEB__HOST_DELAY_S="0.2", **more)
    for _ in range(600):
        await asyncio.sleep(0.05)
        try:
            if here.database.exists() and here.ask("SELECT count(*) FROM articles")[0][0] >= articles:
                break
        except Exception:  # noqa: BLE001 - the schema is being made
            continue
    process.kill()
    await process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("command", [("poll",), WHOLE], ids=["poll", "backfill"])
async def test_after_kill_9_nothing_is_lost_and_nothing_is_there_twice(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    async with serving() as server:
        healed(server)
        calm, killed = (place(tmp_path / name, server.room.feeds) for name in ("calm", "killed"))
        await calm.run(*command)
        for articles in (3, 12):
            await kill_when(killed, command, articles)
        assert len(killed.ask(ROWS)) < len(calm.ask(ROWS))
        assert (await killed.run(*command)).code == 0
        assert (await killed.run("db", "check")).code == 0
    assert killed.ask(ROWS) == calm.ask(ROWS)
    assert killed.ask("SELECT count(*) FROM entries WHERE state = 'claimed'") == [(0,)]
    twice = "SELECT article_id FROM events WHERE kind = 'stored' GROUP BY article_id HAVING count(*) > 1"
    assert killed.ask(twice) == []
    if command == WHOLE:
        assert killed.ask("SELECT count(*) FROM runs WHERE kind = 'backfill'") == [(1,)]


async def test_the_same_flow_runs_on_postgresql(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    databases = request.getfixturevalue("databases")
    if databases is None:
        pytest.skip("no PostgreSQL server binaries on this machine")
    with databases.fresh(is_migrated=False) as url:
        async with serving() as server:
            lite, post = place(tmp_path / "lite", server.room.feeds), place(tmp_path / "post", server.room.feeds, url)
            ours, theirs = await asyncio.gather(lite.run("poll"), post.run("poll"))
            found = [(await here.run("search", "missile", "--limit", "50")).rows for here in (lite, post)]
        assert (await post.run("db", "check")).code == 0
    assert ours.row == theirs.row
    assert [row["url"] for row in found[0]] == [row["url"] for row in found[1]] != []


async def test_an_uncertain_article_is_read_twice_and_a_broken_second_reader_costs_no_article(tmp_path: Path) -> None:
    denial = json.dumps({"label": "no", "confidence": 0.9, "topics": []})
    completion = reply(json.dumps({"choices": [{"message": {"content": denial}}]}).encode())
    uncertain = {"DEFNEWS_REVIEW__LOW": "0", "DEFNEWS_REVIEW__HIGH": "1"}
    async with serving() as server, answering(completion) as model, answering(reply(b"", "500 Oops")) as broken:
        healed(server)
        alone, twice, failing = (place(tmp_path / name, server.room.feeds) for name in ("alone", "twice", "failing"))
        (tmp_path / "key").write_text("sk-1\n")
        asked = {"DEFNEWS_SECOND_READER__MODEL": "m"}
        well = asked | {"DEFNEWS_SECOND_READER__API_KEY_FILE": f"{tmp_path}/key"}
        ill = asked | {"DEFNEWS_SECOND_READER__BUDGET_A_DAY": "5"}
        ended = [
            await alone.run("poll", **uncertain),
            await twice.run("poll", **uncertain, **well, DEFNEWS_SECOND_READER__URL=model.url(host="127.0.0.1")),
            await failing.run("poll", **uncertain, **ill, DEFNEWS_SECOND_READER__URL=broken.url(host="127.0.0.1")),
        ]
    assert [(here.code, here.row["stored"]) for here in ended] == [(0, ended[0].row["stored"])] * 3
    by_model = "SELECT article_id FROM verdicts WHERE classifier = 'llm-m@1'"
    assert (alone.ask(by_model), failing.ask(by_model)) == ([], [])
    assert len(twice.ask(by_model)) == ended[1].row["stored"] <= len(model.asked)
    assert twice.ask("SELECT count(*) FROM verdicts WHERE needs_review") == [(ended[1].row["stored"],)]
    assert twice.ask("SELECT DISTINCT label, needs_review FROM articles") == [("other", 0)]
    assert ended[1].row["defense"] == 0 < ended[0].row["defense"] == ended[2].row["defense"]
    assert len(broken.asked) == 5
    assert {asked.header("authorization") for asked in model.asked} == {"Bearer sk-1"}
    assert ended[2].err.count('"reason": "http-500"') == 5
    assert ended[2].err.count('"reason": "budget-spent"') >= 1
    assert "sk-1" not in ended[1].err
