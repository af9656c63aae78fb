"""`defnews doctor`: a healthy place has nothing wrong; each thing that is wrong is said where it is looked for."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.entrypoints.test_daemon import ask, daemon
from tests.running import Ended, Place, place, serving
from tests.web.internet import Asked, reply
from tests.web.internet import serving as answering

FEED = '[[feed]]\nurl = "{url}"\ntitle = "One"\nkind = "wire"\nlang = "en"\n'


def states(ended: Ended) -> dict[str, str]:
    return {row["check"]: row["state"] for row in ended.rows}


def said(ended: Ended, check: str) -> str:
    return next(str(row["says"]) for row in ended.rows if row["check"] == check)


def place_with(directory: Path, *urls: str) -> Place:
    """A place with these feeds."""
    here = place(directory)
    (directory / "feeds.toml").write_text("\n".join(FEED.format(url=url) for url in urls))
    return here


async def on_time(_: Asked) -> AsyncIterator[bytes]:
    """A server that says what time it is."""
    yield reply(b"", Date=format_datetime(datetime.now(UTC), usegmt=True))  # noqa: TID251


async def test_a_healthy_daemon_has_nothing_wrong(tmp_path: Path) -> None:
    named = {"DEFNEWS_WEB__USER_AGENT": "test/1 (+https://example.org)"}
    async with serving() as server, answering(on_time) as dated:
        here = place(tmp_path, server.room.feeds[:1])
        with (tmp_path / "feeds.toml").open("a") as file:
            file.write(FEED.format(url=dated.url("/feed", "127.0.0.1")))
        async with daemon(here, **named) as (_, client):
            await ask(client, "/healthz")
            ended = await here.run("doctor", **named)
    assert (ended.code, set(states(ended).values())) == (0, {"ok"}), ended.out
    assert list(states(ended)) == ["settings", "program", "model", "database", "daemon", "network", "clock"]
    assert "defnews-en" in said(ended, "model")
    assert "2 of 2" in said(ended, "network")


async def test_a_new_place_warns_and_succeeds(tmp_path: Path) -> None:
    ended = await place(tmp_path).run("doctor")
    warned = [check for check, state in states(ended).items() if state == "warn"]
    assert (ended.code, warned) == (0, ["settings", "daemon", "network", "clock"])
    assert "user_agent" in said(ended, "settings")


async def test_a_wrong_clock_is_found_by_what_hosts_say(tmp_path: Path) -> None:
    late = format_datetime(datetime.now(UTC) - timedelta(hours=2), usegmt=True)  # noqa: TID251
    async with answering(reply(b"", Date=late)) as dated:
        ended = await place_with(tmp_path, dated.url("/feed", "127.0.0.1")).run("doctor")
    assert (ended.code, states(ended)["clock"], states(ended)["network"]) == (1, "fail", "ok")
    assert "+72" in said(ended, "clock")


async def test_hosts_that_do_not_answer_are_named(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:1/feed"
    async with answering(reply(b"", "404 Not Found")) as site:
        some = await place_with(tmp_path / "some", nobody, site.url("/feed", "127.0.0.1")).run("doctor")
    none = await place_with(tmp_path / "none", nobody).run("doctor")
    assert (some.code, states(some)["network"]) == (0, "warn")
    assert (none.code, states(none)["network"]) == (1, "fail")
    assert "127.0.0.1:1: connect" in said(some, "network")


async def test_an_old_schema_is_said_with_what_to_run(tmp_path: Path) -> None:
    here = place(tmp_path)
    assert (await here.run("db", "upgrade")).code == 0
    with closing(sqlite3.connect(here.database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    ended = await here.run("doctor")
    assert (ended.code, states(ended)["database"]) == (1, "fail")
    assert "defnews db upgrade" in said(ended, "database")


@pytest.mark.parametrize(
    ("setting", "value", "check", "state"),
    [
        ("DEFNEWS_CLASSIFY__MODEL", "/nowhere.npz", "model", "fail"),
        ("DEFNEWS_CLASSIFY__THRESHOLD", "0.0001", "model", "warn"),
        ("DEFNEWS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", "database", "fail"),
        ("DEFNEWS_PAGES__DIRECTORY", "/dev/null/pages", "settings", "fail"),
    ],
    ids=["no-model", "odd-threshold", "no-server", "no-directory"],
)
async def test_what_is_wrong_is_said_where_it_is_looked_for(
    tmp_path: Path, setting: str, value: str, check: str, state: str
) -> None:
    ended = await place(tmp_path).run("doctor", **{setting: value})
    assert (states(ended)[check], ended.code) == (state, int(state == "fail")), ended.out


async def test_wrong_settings_are_an_error_of_usage(tmp_path: Path) -> None:
    ended = await place(tmp_path).run("doctor", DEFNEWS_POLL__TICKS="5")
    assert (ended.code, ended.out) == (2, "")
    assert "DEFNEWS_POLL__TICKS" in ended.err


async def test_the_clock_of_postgresql_is_asked(tmp_path: Path, postgres_url: str) -> None:
    ended = await place(tmp_path, url=postgres_url).run("doctor")
    assert states(ended)["clock"] == "ok"
    assert "the database" in said(ended, "clock")
