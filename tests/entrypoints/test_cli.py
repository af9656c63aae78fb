"""The command line as users and scripts meet it: output, exit codes, errors that say what was wrong."""

import asyncio
import csv
import gzip
import io
import json
import os
import re
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard

from pipeline.newsroom import Fault, FaultKind, RoomFeed, Server
from tests.running import Place, healed, place, serving
from tests.web.internet import reply
from tests.web.internet import serving as answering

PAGE = """<html lang="en"><head><title>Drill off Jeju - Example</title></head>
<body><article><h1>Drill off Jeju</h1>
<p>South Korea, the United States and Japan flew joint air drills near Jeju with a B-52H bomber on Friday.</p>
<p>The chiefs of defense of the three countries met in Seoul and warned of a build-up of missiles.</p>
<p>They agreed to expand the Freedom Edge exercises, the ministry of defense said in a statement.</p>
</article></body></html>"""
FEED = "<rss version='2.0'><channel><item><guid>1</guid><title>A</title><link>/a</link></item></channel></rss>"


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return place(tmp_path)


async def poll_in(directory: Path) -> None:
    async with serving() as server:
        assert (await place(directory, server.room.feeds).run("poll")).code == 0


@pytest.fixture(scope="module")
def polled_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory where the newsroom's feeds were polled; the newsroom is gone."""
    directory = tmp_path_factory.mktemp("polled") / "here"
    with ThreadPoolExecutor(1) as thread:  # the tests' event loop stays as it is
        thread.submit(asyncio.run, poll_in(directory)).result()
    return directory


@pytest.fixture
def filled(tmp_path: Path, polled_once: Path) -> Place:
    """A copy of it."""
    return Place(shutil.copytree(polled_once, tmp_path / "here"))


async def test_a_poll_without_network_counts_nothing_says_so_and_ends_with_1(tmp_path: Path) -> None:
    nowhere = [RoomFeed(f"http://f{n}.invalid/rss", f"F{n}", "US", "en", "wire", f"f{n}", "rss") for n in range(50)]
    here = place(tmp_path, nowhere)
    ended = await here.run("poll", DEFNEWS_POLL__CONCURRENCY="15")
    assert ended.code == 1
    assert "our network seems to be down" in ended.err
    assert ended.row["failed"] < 50
    assert here.ask("SELECT DISTINCT failures FROM feed_states") == [(0,)]
    assert here.ask("SELECT count(*) FROM events WHERE kind = 'poll-failed'") == [(0,)]
    assert here.ask("SELECT count(*) FROM outages") == [(1,)]


async def test_help_names_every_command_and_version_says_which(here: Place) -> None:
    ended = await here.run("--help")
    commands = (
        "run poll search export show why status label review reclassify evaluate extract parse-feed classify demo"
        " feeds db backfill"
    )
    assert all(f"\n  {name} " in ended.out for name in commands.split())
    assert (await here.run("search", "--version")).out.startswith("defnews 0.")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(["nonsense"], 2, "nonsense", id="no such command"),
        pytest.param(["search", "--label", "army"], 2, "--label", id="no such label"),
        pytest.param(["search", "--topic", "army"], 2, "--topic: army: expected operations", id="no such topic"),
        pytest.param(["search", "--kind", "army"], 2, "--kind: army: expected trade", id="no such kind"),
        pytest.param(["search", "--since", "yesterday"], 2, "--since", id="no date"),
        pytest.param(["search", "a OR"], 2, "column 3", id="a broken query"),
        pytest.param(["search", "--format", "xml"], 2, "--format", id="no such format"),
        pytest.param(["search", "--cursor", "?"], 2, "--cursor", id="no cursor"),
        pytest.param(["search", "--feed", "nobody"], 1, "nobody", id="no such feed"),
        pytest.param(["poll", "nobody"], 1, "nobody", id="no such feed to poll"),
        pytest.param(["show", "1"], 1, "no article 1", id="no such article"),
        pytest.param(["why", "https://a.example/"], 1, "never seen", id="a URL never seen"),
        pytest.param(["backfill"], 2, "--since", id="a backfill of nothing"),
        pytest.param(
            ["backfill", "--since", "2025-07-11", "--until", "2025-07-01"], 2, "not before", id="a range backwards"
        ),
        pytest.param(["backfill", "--since", "7d", "--via", "magic"], 2, "--via", id="no such archive"),
        pytest.param(["backfill", "--since", "7d", "--query", "navy"], 2, "--via gdelt", id="a query of no index"),
        pytest.param(["backfill", "--input", "missing.txt"], 1, "missing.txt", id="a list that is missing"),
        pytest.param(["backfill", "--resume", "7"], 1, "no run 7", id="no such run"),
        pytest.param(["backfill", "show", "7"], 1, "no backfill 7", id="no such backfill"),
        pytest.param(["export", "out.xls"], 2, ".jsonl", id="an unknown file type"),
        pytest.param(["export", "missing/out.csv"], 1, "missing/out.csv", id="a folder that is missing"),
        pytest.param(["extract"], 2, "PATH", id="nothing to extract"),
        pytest.param(["extract", "missing.html"], 1, "", id="a page that is missing"),
        pytest.param(["feeds", "add", "ftp://a.example"], 2, "http", id="no web address"),
        pytest.param(["feeds", "remove", "9"], 1, "9", id="no such feed to remove"),
        pytest.param(["--config", "missing", "status"], 2, "missing", id="no such configuration"),
    ],
)
async def test_a_mistake_is_told_and_ends_with_its_code(here: Place, words: list[str], code: int, says: str) -> None:
    ended = await here.run(*words)
    assert ended.code == code, ended.err
    assert says in ended.err
    assert "Traceback" not in ended.err


async def test_a_backfill_of_a_file_that_is_missing_leaves_no_trace(here: Place) -> None:
    assert (await here.run("backfill", "--input", "missing.txt")).code == 1
    assert not here.database.exists()


async def test_wrong_settings_name_key_file_and_line(here: Place) -> None:
    (here.directory / "pipeline.toml").write_text("[poll]\n\ninterval_s = 'often'\n")
    ended = await here.run("status")
    assert ended.code == 2
    assert "pipeline.toml, line 3" in ended.err
    assert "poll.interval_s" in ended.err


async def test_a_newer_database_is_refused_with_advice(here: Place) -> None:
    await here.run("db", "upgrade")
    here.ask("UPDATE alembic_version SET version_num = '9999'")
    ended = await here.run("search")
    assert (ended.code, "upgrade the program" in ended.err) == (1, True)


async def test_an_empty_database_answers_with_nothing(here: Place) -> None:
    assert (await here.run("search")).out == ""
    assert (await here.run("status")).row["articles"] == 0
    assert (await here.run("search", "--format", "table")).out == "nothing found\n"


async def test_search_show_and_why_tell_one_story(filled: Place) -> None:
    (found,) = (await filled.run("search", "B-52H", "--label", "defense", "--limit", "1")).rows
    assert "[B-52H]" in found["snippet"]
    shown = (await filled.run("show", str(found["id"]))).row
    assert shown["url"] == found["url"]
    assert shown["verdicts"][0]["label"] == "defense"
    evidence = shown["verdicts"][0]["evidence"][0]
    field = shown[evidence["field"]]
    assert field[evidence["start"] : evidence["end"]]
    assert [event["kind"] for event in shown["trail"]] == ["seen", "stored"]
    (became,) = (await filled.run("why", found["url"])).rows
    assert became["became"] == f"stored as {found['id']}"
    by_url = (await filled.run("show", found["url"])).row
    assert by_url["id"] == found["id"]


async def test_why_tells_each_end(filled: Place) -> None:
    reasons = {row[0]: row[1] for row in filled.ask("SELECT reason, url FROM entries WHERE reason IS NOT NULL")}
    assert {"http-404", "http-410", "pdf-without-text", "robots-disallowed", "http-500"} <= set(reasons)
    for reason in ("http-404", "robots-disallowed"):
        assert f"dropped: {reason}" in {row["became"] for row in (await filled.run("why", reasons[reason])).rows}
    (waits,) = (await filled.run("why", reasons["http-500"])).rows
    assert waits["became"].startswith("waiting until 20")


async def test_pages_of_a_result_follow_each_other(filled: Place) -> None:
    whole = [row["id"] for row in (await filled.run("search", "--limit", "9")).rows]
    first = (await filled.run("search", "--limit", "5")).rows
    second = (await filled.run("search", "--limit", "4", "--cursor", first[-1]["cursor"])).rows
    assert [row["id"] for row in (*first, *second)] == whole
    assert whole == sorted(whole, reverse=True)


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.jsonl.gz", "out.csv.zst"])
async def test_an_export_holds_every_row(filled: Place, name: str) -> None:
    ended = await filled.run("export", name, "--label", "defense")
    assert ended.code == 0, ended.err
    raw = (filled.directory / name).read_bytes()
    if name.endswith(".gz"):
        raw = gzip.decompress(raw)
    elif name.endswith(".zst"):
        raw = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    text = raw.decode()
    rows = (
        [json.loads(line) for line in text.splitlines()] if "jsonl" in name else list(csv.DictReader(io.StringIO(text)))
    )
    ids = {int(row["id"]) for row in rows}
    assert ids == {row[0] for row in filled.ask("SELECT id FROM articles WHERE label = 'defense'")}
    assert all(row["text"] for row in rows)
    assert not (filled.directory / f"{name}.part").exists()


async def test_a_second_poll_asks_no_feed_before_its_time_and_all_finds_nothing_new(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        await here.run("poll")
        assert (await here.run("poll")).row["polled"] == 0
        again = (await here.run("poll", "--all")).row
    assert again["polled"] == again["not_modified"] > 5
    assert again["new"] == again["stored"] == 0


async def test_a_feed_goes_through_its_life(tmp_path: Path) -> None:
    async with serving() as server:
        here, url = place(tmp_path), server.room.feeds[0].url
        added = (await here.run("feeds", "add", url, "--title", "=Mine", "--kind", "trade")).row
        assert (await here.run("feeds", "add", url)).code == 2
        (checked,) = (await here.run("feeds", "check", str(added["id"]))).rows
        assert (checked["answers"], checked["state"]) == (True, "active")
        assert re.fullmatch(r"next poll [0-9T:Z-]+ because rhythm: [a-z0-9. ]+ new by then", checked["next"])
        assert (await here.run("poll", "=mine")).row["polled"] == 1
        await here.run("feeds", "disable", str(added["id"]))
        assert (await here.run("poll", "--all")).row["polled"] == 0
        (listed,) = (await here.run("feeds", "list")).rows
        assert listed["state"] == "disabled"
        table = (await here.run("feeds", "list", "--format", "csv")).out
        assert "'=Mine" in table
        await here.run("feeds", "remove", url)
        assert (await here.run("feeds", "list")).out == ""


async def test_a_feed_is_added_by_its_site_and_its_first_poll_is_done_then(tmp_path: Path) -> None:
    async with serving() as server:
        here, feed = place(tmp_path), server.room.feeds[0]
        site = feed.url.removesuffix("/feed/") + "/"
        added = (await here.run("feeds", "add", site)).row
        assert (added["url"], added["title"]) == (feed.url, feed.title)
        assert [seen.url for seen in server.log] == [site, feed.url]
        assert here.ask("SELECT count(*) FROM entries") == [(added["entries"],)] != [(0,)]
        assert (await here.run("feeds", "list")).row["state"] == "active"


async def test_a_place_without_a_feed_is_told_with_all_that_was_asked(here: Place) -> None:
    async with answering(reply(b"<html><body>nothing here</body></html>")) as site:
        ended = await here.run("feeds", "add", site.url("/blog", host="127.0.0.1"))
    assert ended.code == 1
    assert site.url("/feed/", host="127.0.0.1") in ended.err
    assert here.ask("SELECT count(*) FROM feeds") == [(0,)]


async def test_feeds_go_out_as_opml_and_come_back_with_their_folders(tmp_path: Path) -> None:
    old, new = place(tmp_path / "old"), place(tmp_path / "new")
    outline = '<outline text="Navies"><outline text="Keel &amp; Bridge" xmlUrl="https://keel.example/rss"/></outline>'
    (old.directory / "mine.opml").write_text(f"<opml version='2.0'><body>{outline}</body></opml>")
    assert (await old.run("feeds", "import", "mine.opml")).row["is_new"] is True
    assert (await old.run("feeds", "import", "mine.opml")).row["is_new"] is False
    (new.directory / "theirs.opml").write_text((await old.run("feeds", "export")).out)
    await new.run("feeds", "import", "theirs.opml")
    listed = (await new.run("feeds", "list")).row
    assert (listed["title"], listed["tags"], listed["state"]) == ("Keel & Bridge", ["Navies"], "new")
    (new.directory / "bad.opml").write_text("<opml>")
    for name in ("bad.opml", "missing.opml"):
        assert (await new.run("feeds", "import", name)).code == 1


async def test_a_check_says_which_feeds_do_not_answer(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        server.fault(server.room.feeds[0].url, Fault(FaultKind.STATUS, status=404))
        rows = (await here.run("feeds", "check")).rows
    says = {row["url"]: (row["answers"], row["says"]) for row in rows}
    assert says[server.room.feeds[0].url] == (False, "http-404")
    assert sum(answers for answers, _ in says.values()) == len(server.room.feeds) - 1


async def test_failing_feeds_are_counted_and_back_off(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        server.fault(server.room.feeds[0].url, Fault(FaultKind.STATUS, status=200, body=b"<html>no feed</html>"))
        ended = await here.run("poll")
        assert (ended.code, ended.row["failed"]) == (0, 1)
        failing = [row for row in (await here.run("feeds", "list")).rows if row["state"] == "failing"]
    assert [(row["reason"], row["because"]) for row in failing] == [("html", "html, 1 in a row")]


async def test_single_stages_work_on_files(here: Place) -> None:
    (here.directory / "page.html.gz").write_bytes(gzip.compress(PAGE.encode()))
    (here.directory / "feed.xml").write_text(FEED)
    article = (await here.run("extract", "page.html.gz", "--url", "https://a.example/x?utm_source=y")).row
    assert (article["title"], article["lang"], article["canonical_url"]) == (
        "Drill off Jeju",
        "en",
        "https://a.example/x",
    )
    assert article["text"].count("\n") == 2
    parsed = (await here.run("parse-feed", "feed.xml", "--url", "https://a.example/feed")).row
    assert parsed["entries"][0]["url"] == "https://a.example/a"
    nowhere = (await here.run("parse-feed", "feed.xml")).row
    assert [entry["url"] for entry in nowhere["entries"]] == [None]
    (here.directory / "texts.jsonl").write_text(
        json.dumps({"id": 7, "title": article["title"], "text": article["text"]}) + "\n\n"
    )
    verdict = (await here.run("classify", "texts.jsonl")).row
    assert (verdict["id"], verdict["label"]) == (7, "defense")
    assert set(verdict) >= {
        "score",
        "needs_review",
        "topics",
        "countries",
        "entities",
        "evidence",
        "classifier",
        "tagger",
    }
    assert (await here.run("classify", "--text", "Recipe for apple pie")).row["label"] == "other"


async def test_bad_files_give_an_error_line_in_their_place(here: Place) -> None:
    (here.directory / "good.html").write_text(PAGE)
    (here.directory / "bad.html").write_text("<html></html>")
    ended = await here.run("extract", "bad.html", "good.html", "missing.html")
    assert ended.code == 1
    assert [row.get("error", {}).get("reason", "ok") for row in ended.rows] == ["no-text", "ok", "unreadable-file"]
    (here.directory / "bad.jsonl").write_text('{"id": 1, "title": "Army"}\nnot json\n{"id": 3, "title": 5}\n')
    ended = await here.run("classify", "bad.jsonl")
    assert ended.code == 1
    assert ["error" in row for row in ended.rows] == [False, True, True]
    assert "bad.jsonl, line 2" in ended.rows[1]["error"]["message"]


async def test_a_line_that_cannot_be_classified_is_an_error_with_its_id_and_spoils_no_other(here: Place) -> None:
    good = json.dumps({"id": 1, "title": "Army fires missiles", "text": "The army fired two missiles."}).encode()
    marked, latin, wrong = b"\xef\xbb\xbf" + good, b'{"id": 2, "title": "caf\xe9"}', b'{"id": 3, "title": 5, "lang": 7}'
    lines = [marked, latin, wrong, b"[4]", good]
    (here.directory / "texts.jsonl.gz").write_bytes(gzip.compress(b"\r\n".join(lines)))
    ended = await here.run("classify", "texts.jsonl.gz")
    assert ended.code == 1
    assert [(row["id"], row.get("label")) for row in ended.rows] == [
        *((1, "defense"), (None, None), (3, None), (None, None), (1, "defense"))
    ]
    assert ended.rows[2]["error"]["message"] == "texts.jsonl.gz, line 3: title and lang: expected a text"
    os.mkfifo(here.directory / "pipe")
    held, _ = await asyncio.gather(
        here.run("classify", "pipe"), asyncio.to_thread((here.directory / "pipe").write_bytes, good)
    )
    assert (held.code, held.row["id"]) == (0, 1)
    cut = here.directory / "cut.jsonl.gz"
    cut.write_bytes((here.directory / "texts.jsonl.gz").read_bytes()[:-12])
    ended = await here.run("classify", "cut.jsonl.gz")
    assert (ended.code, "cut.jsonl.gz: " in ended.err) == (1, True)


async def test_a_list_of_pages_counts_paths_from_its_own_folder(here: Place) -> None:
    folder = here.directory / "pages"
    folder.mkdir()
    (folder / "a.html").write_text(PAGE)
    (folder / "list.jsonl").write_text('{"id": "x", "path": "a.html", "url": "https://a.example/"}\n')
    ended = await here.run("extract", "--jsonl", "pages/list.jsonl")
    assert (ended.row["id"], ended.row["title"]) == ("x", "Drill off Jeju")


async def test_a_dry_run_counts_and_stores_nothing(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        counted = (await here.run("backfill", "--since", "60d", "--via", "sitemap", "--dry-run")).row
    assert counted["candidates"] >= counted["new"] > 40  # the news sitemap lists some again
    assert counted["documents"] > 4
    assert here.ask("SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM runs)") == [(0,)]


async def test_max_bounds_a_backfill_and_list_and_show_know_it(tmp_path: Path) -> None:
    async with serving() as server:
        healed(server)
        here = place(tmp_path, server.room.feeds)
        done = (await here.run("backfill", "--since", "60d", "--max", "5", "--via", "sitemap")).row
        (listed,) = (await here.run("backfill", "list")).rows
        (shown,) = (await here.run("backfill", "show", str(done["run"]))).rows
    assert (done["new"], listed["state"], shown["archives"]) == (5, "done", done["archives"])


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_ends_a_command_with_its_code_and_frees_its_work(
    tmp_path: Path, signum: signal.Signals, code: int
) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        process = await here.start("poll", DEFNEWS_WEB__HOST_DELAY_S="1")
        await until_stored(here, 3)
        process.send_signal(signum)
        _, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == code, err.decode()
    assert b"Traceback" not in err
    assert here.ask("SELECT count(*) FROM entries WHERE state = 'claimed'") == [(0,)]
    assert here.ask("SELECT state FROM runs") == [("interrupted",)]


async def until_stored(here: Place, articles: int) -> None:
    for _ in range(300):
        await asyncio.sleep(0.1)
        try:
            if here.ask("SELECT count(*) FROM articles")[0][0] >= articles:
                return
        except Exception:  # noqa: BLE001 - the schema is being made
            continue
    raise AssertionError("nothing was stored")


async def test_nothing_that_steers_a_terminal_is_printed(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path)
        evil = FEED.replace("<title>A</title>", "<title>\x9b31m A &#x202e;evil</title>").encode()
        server.fault(server.room.feeds[0].url, Fault(FaultKind.STATUS, status=200, body=evil))
        await here.run("feeds", "add", server.room.feeds[0].url, "--title", "T\x1b[31m")
        listed = await here.run("feeds", "list", "--format", "table")
        polled = await here.run("poll", "-v")
    assert "\x1b" not in listed.out + polled.err
    assert "\x9b" not in listed.out + polled.err


async def test_two_polls_at_once_do_each_thing_once(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        await here.run("db", "upgrade")
        first, second = await asyncio.gather(here.run("poll"), here.run("poll"))
        assert pages_asked_twice(server) == []
    assert first.code == second.code == 0, first.err + second.err
    assert first.row["polled"] + second.row["polled"] == len(server.room.feeds)


def pages_asked_twice(server: Server) -> list[str]:
    """Pages that stand in the log more than once, but for those that fail at first or redirect."""
    seen: dict[str, int] = {}
    for request in server.log:
        if request.status == 200 and "robots" not in request.target:
            seen[request.url] = seen.get(request.url, 0) + 1
    return [url for url, count in seen.items() if count > 1]
