"""Backfills on the newsroom, archive by archive: what they store, what they ask for, what they say is missing."""

import asyncio
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipeline.newsroom import Fault, FaultKind, Server
from tests.running import ROWS, Place, healed, place, serving
from tests.test_flow import kill_when


def range_of(server: Server) -> tuple[str, str]:
    """Six days, long before what the feeds still hold."""
    at = server.room.at
    return (at - timedelta(days=16)).date().isoformat(), (at - timedelta(days=10)).date().isoformat()


def command(server: Server, via: str, *more: str) -> tuple[str, ...]:
    since, until = range_of(server)
    return ("backfill", "--since", since, "--until", until, "--via", via, *more)


def within(server: Server, site: str) -> set[str]:
    """The URLs of a site's articles of the range that can be stored."""
    since, until = range_of(server)
    return {
        a.url
        for a in server.room.articles
        if a.site == site and a.outcome == "stored" and since <= a.published_at.date().isoformat() <= until
    }


def here(server: Server, directory: Path, site: str) -> Place:
    healed(server)
    return place(directory, [feed for feed in server.room.feeds if feed.site == site][:1])


def stored(place: Place) -> set[str]:
    return {row[0] for row in place.ask("SELECT canonical_url FROM articles")}


WAYS = [
    pytest.param("rfc5005", "corvid", id="archive documents"),
    pytest.param("wordpress", "vector", id="the API of WordPress"),
    pytest.param("gdelt", "meridian", id="an index of the news"),
    pytest.param("wayback", "meridian", id="a web archive"),
]


def kept_at(server: Server) -> dict[str, str]:
    """The settings by which the newsroom plays the archives of many sites."""
    base = server.room.origins[-1]
    return {"DEFNEWS_ARCHIVES__WAYBACK": base, "DEFNEWS_ARCHIVES__GDELT": f"{base}/api/v2/doc/doc"}


@pytest.mark.parametrize(("via", "site"), WAYS)
async def test_an_archive_brings_all_of_a_range_once_and_a_second_run_nothing(
    tmp_path: Path, via: str, site: str
) -> None:
    async with serving(extra=400) as server:
        at = here(server, tmp_path, site)
        done = (await at.run(*command(server, via), **kept_at(server))).row
        asked = len(server.log)
        again = (await at.run(*command(server, via), **kept_at(server))).row
        pages = [seen.target for seen in server.log[asked:] if seen.url in within(server, site)]
    assert stored(at) == within(server, site) != set()
    assert done["stored"] == len(within(server, site))
    assert (again["new"], again["stored"], pages) == (0, 0, [])


async def test_archive_documents_are_fetched_once_in_their_life(tmp_path: Path) -> None:
    async with serving(extra=400) as server:
        at = here(server, tmp_path, "corvid")
        await at.run(*command(server, "rfc5005"))
        first = [seen.target for seen in server.log if seen.target.startswith("/past/")]
        await at.run(*command(server, "rfc5005", "--max", "1000"))
        narrow = [seen.target for seen in server.log if seen.target.startswith("/past/")]
        await at.run("backfill", "--since", "28d", "--via", "rfc5005", "--dry-run")
        wide = [seen.target for seen in server.log if seen.target.startswith("/past/")]
    assert len(first) > 1
    assert narrow == first
    assert len(wide) > len(first)  # a wider range needs them again


async def test_an_archive_document_that_was_missed_is_asked_again_by_the_next_run(tmp_path: Path) -> None:
    async with serving(extra=400) as server:
        at = here(server, tmp_path, "corvid")
        await at.run(*command(server, "rfc5005", "--dry-run"))
        lost = [seen.url for seen in server.log if seen.target.startswith("/past/")][-2]
        server.fault(lost, Fault(FaultKind.STATUS, status=404))
        first = (await at.run(*command(server, "rfc5005"))).row
        server.fault(lost, None)
        second = (await at.run(*command(server, "rfc5005"))).row
    assert (first["missed"], second["missed"]) == (1, 0)
    assert stored(at) == within(server, "corvid")


async def test_two_feeds_of_a_site_share_its_pages_and_each_has_its_own_captures(tmp_path: Path) -> None:
    async with serving() as server:
        feeds = [feed for feed in server.room.feeds if feed.site == "meridian"]
        at = place(tmp_path, feeds)
        await at.run(*command(server, "wayback", "--dry-run"), **kept_at(server))
        asked = [seen.target for seen in server.log if seen.target.startswith("/cdx/")]
    assert len(asked) == len(set(asked)) == 1 + len(feeds)


async def test_an_article_that_is_gone_is_read_from_the_archive_and_the_record_says_so(tmp_path: Path) -> None:
    async with serving(extra=400) as server:
        at = here(server, tmp_path, "meridian")
        gone, *_ = sorted(within(server, "meridian"))
        server.fault(gone, Fault(FaultKind.STATUS, status=404))
        done = (await at.run(*command(server, "wayback"), **kept_at(server))).row
        shown = (await at.run("show", gone)).row
    assert stored(at) == within(server, "meridian")
    assert done["missed"] == 0
    ((url,),) = at.ask(f"SELECT url FROM articles WHERE canonical_url = '{gone}'")
    assert url.startswith(f"{server.room.origins[-1]}/web/")
    assert url.endswith(f"id_/{gone}")
    assert (shown["archive"], shown["read_from"]) == ("wayback", url)
    others = at.ask(f"SELECT count(*) FROM articles WHERE url = canonical_url AND canonical_url <> '{gone}'")
    assert others == [(len(within(server, "meridian")) - 1,)]


async def test_auto_stops_at_the_first_archive_that_goes_back_far_enough_and_says_why(tmp_path: Path) -> None:
    async with serving(extra=400) as server:
        healed(server)
        sites = ("corvid", "vector", "keel")
        at = place(tmp_path, [next(feed for feed in server.room.feeds if feed.site == site) for site in sites])
        done = (await at.run(*command(server, "auto"), **kept_at(server))).row
        shown = (await at.run("backfill", "show", str(done["run"]))).row
    assert stored(at) == set().union(*(within(server, site) for site in sites))
    tried = {urlsplit(url).path: list(said.items()) for url, said in shown["cursor"]["tried"].items()}
    assert tried["/atom.xml"] == [("rfc5005", "reaches back")]
    assert tried["/feed/"] == [("rfc5005", "does not reach back"), ("wordpress", "reaches back")]
    assert [name for name, _ in tried["/rss.rdf"]] == ["rfc5005", "wordpress", "sitemap"]
    assert tried["/rss.rdf"][-1] == ("sitemap", "reaches back")


async def test_what_an_archive_lost_is_counted_and_named(tmp_path: Path) -> None:
    async with serving(extra=400) as server:
        at = here(server, tmp_path, "meridian")
        server.fault(f"{server.room.origins[-1]}/cdx/search/cdx", Fault(FaultKind.STATUS, status=503))
        ended = await at.run(*command(server, "wayback"), **kept_at(server))
    assert (ended.code, ended.row["missed"], ended.row["stored"]) == (0, 2, 0)
    assert "http-503" in ended.err


async def test_a_dry_run_names_what_it_missed(tmp_path: Path) -> None:
    async with serving(extra=400) as server:
        at = here(server, tmp_path, "meridian")
        listed = f"{server.room.origins[-1]}/cdx/search/cdx"
        server.fault(listed, Fault(FaultKind.STATUS, status=503))
        (row,) = (await at.run(*command(server, "wayback", "--dry-run"), **kept_at(server))).rows
    named = row["missed_documents"]
    assert row["missed"] == len(named) == 2
    assert all("/cdx/search/cdx" in url for url in named)
    assert set(named.values()) == {"http-503", "host-resting"}


async def test_a_dry_run_counts_by_archive_and_no_article_twice(tmp_path: Path) -> None:
    async with serving(extra=400) as server:
        at = here(server, tmp_path, "northcom")
        rows = (await at.run(*command(server, "auto", "--dry-run"), **kept_at(server))).rows
    assert [row["via"] for row in rows] == ["rfc5005"]
    assert rows[0]["new"] >= len(within(server, "northcom"))
    assert rows[0]["documents"] > 1
    assert at.ask("SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM runs)") == [(0,)]


@pytest.mark.parametrize(("via", "site"), WAYS)
async def test_a_killed_backfill_goes_on_where_it_was(tmp_path: Path, via: str, site: str) -> None:
    async with serving(extra=400) as server:
        calm, killed = here(server, tmp_path / "calm", site), here(server, tmp_path / "killed", site)
        await calm.run(*command(server, via), **kept_at(server))
        await kill_when(killed, command(server, via), 2, **kept_at(server))
        ended = await killed.run(*command(server, via), **kept_at(server))
    assert ended.code == 0
    assert killed.ask(ROWS) == calm.ask(ROWS) != []
    assert killed.ask("SELECT count(*) FROM runs WHERE kind = 'backfill'") == [(1,)]


async def test_two_backfills_and_the_daemon_work_at_once_and_nothing_is_lost_or_there_twice(tmp_path: Path) -> None:
    ways = {"corvid": "rfc5005", "vector": "wordpress"}  # each reads all that the other's feed still holds as well
    async with serving(extra=400) as server:
        healed(server)
        busy = place(tmp_path, [feed for feed in server.room.feeds if feed.site in ways])
        daemon = await busy.start("run")
        ended = await asyncio.gather(*(busy.run(*command(server, via)) for via in ways.values()))
        daemon.terminate()
        await daemon.communicate()
        await busy.run("poll")  # what the daemon has not yet done, and what it gave back
        assert (await busy.run("db", "check")).code == 0
    assert [one.code for one in ended] == [0, 0]
    reached = [url for (url,) in busy.ask("SELECT url FROM urls WHERE article_id IS NOT NULL")]
    assert {url for site in ways for url in within(server, site)} < set(reached)
    assert busy.ask("SELECT entry_id FROM events WHERE kind = 'stored' GROUP BY entry_id HAVING count(*) > 1") == []
    assert busy.ask("SELECT count(*) FROM entries WHERE state <> 'done'") == [(0,)]
