"""Backfills on the newsroom, archive by archive: what they store, what they ask for, what they say of what is missing."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.newsroom import Server
from tests.running import Place, healed, place, serving


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
]


@pytest.mark.parametrize(("via", "site"), WAYS)
async def test_an_archive_brings_all_of_a_range_once_and_a_second_run_nothing(
    tmp_path: Path, via: str, site: str
) -> None:
    async with serving(extra=400) as server:
        at = here(server, tmp_path, site)
        done = (await at.run(*command(server, via))).row
        asked = len(server.log)
        again = (await at.run(*command(server, via))).row
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
