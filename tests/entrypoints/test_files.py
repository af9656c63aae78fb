"""`classify`, `extract` and `parse-feed` over files as they are met: one bad line or path costs no other its answer."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.running import Place, place

PAGE = "<html lang='en'><head><title>Drill off Jeju</title></head><body><article><h1>Drill off Jeju</h1>" + 3 * (
    "<p>South Korea, the United States and Japan flew joint air drills near Jeju with a B-52H bomber on Friday.</p>"
)
GOOD = {"title": "Army", "text": "The army bought tanks."}


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return place(tmp_path)


def reasons(rows: list[dict[str, Any]]) -> list[tuple[Any, str]]:
    return [(row["id"], row["error"]["reason"] if "error" in row else "ok") for row in rows]


async def test_a_line_that_is_no_text_costs_no_other_line_its_verdict(here: Place) -> None:
    lines = [
        *(json.dumps({"id": 1, **GOOD, **wrong}).encode() for wrong in ({"lang": 5}, {"lang": ["en"]}, {"url": 5})),
        b'{"id": 1, "text": "caf\xe9"}',
        b'{"id": NaN, "text": "a"}',
        b'{"id": 1e999, "text": "a"}',
        b'{"id": [1], "text": "a"}',
        b"[" * 100_000,
    ]
    good = json.dumps({"id": 2, **GOOD, "url": "http://[bad"}).encode()
    (here.directory / "texts.jsonl").write_bytes(b"".join(line + b"\n" + good + b"\n" for line in lines))
    ended = await here.run("classify", "texts.jsonl")
    assert ended.code == 1
    assert reasons(ended.rows)[1::2] == [(2, "ok")] * len(lines)
    assert reasons(ended.rows)[::2] == [(1, "bad-line")] * 3 + [(None, "bad-line")] * 5
    assert "texts.jsonl, line 7: not UTF-8" in ended.rows[6]["error"]["message"]


async def test_a_byte_order_mark_is_no_part_of_the_first_line(here: Place) -> None:
    (here.directory / "texts.jsonl").write_bytes(b"\xef\xbb\xbf" + json.dumps({"id": 1, **GOOD}).encode() + b"\r\n")
    assert reasons((await here.run("classify", "texts.jsonl")).rows) == [(1, "ok")]


async def test_what_a_list_says_wrong_costs_no_other_page_its_article(here: Place) -> None:
    (here.directory / "a.html").write_text(PAGE)
    good = {"id": "x", "path": "a.html", "url": "https://a.example/"}
    wrong: list[dict[str, Any]] = [
        {"url": 5},
        {"path": "a\0"},
        {"path": 5},
        {"url": "http://[bad"},
        {"path": 300 * "x"},
    ]
    lines = [good, *({**good, "id": n, **what} for n, what in enumerate(wrong)), {"id": 5}, good]
    (here.directory / "list.jsonl").write_text(
        "\ufeff" + "not json\n\n" + "".join(json.dumps(row) + "\n" for row in lines)
    )
    ended = await here.run("extract", "--jsonl", "list.jsonl")
    assert reasons(ended.rows) == [
        (None, "bad-line"), ("x", "ok"), (0, "bad-line"), (1, "unreadable-file"), (2, "bad-line"), (3, "bad-url"),
        (4, "unreadable-file"), (5, "bad-line"), ("x", "ok"),
    ]  # fmt: skip
    assert (ended.code, "list.jsonl, line 1" in ended.rows[0]["error"]["message"]) == (1, True)


@pytest.mark.parametrize("command", ["extract", "parse-feed"])
async def test_a_url_that_is_none_is_wrong_usage(here: Place, command: str) -> None:
    (here.directory / "a.html").write_text(PAGE)
    ended = await here.run(command, "a.html", "--url", "http://[bad")
    assert (ended.code, ended.out, ended.err) == (2, "", "defnews: --url: 'http://[bad' is no URL\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("text", ["Army", "tank " * 5_000], ids=["little", "much"])
def test_a_full_disk_under_what_is_printed_is_said_in_a_line(here: Place, text: str) -> None:
    with Path("/dev/full").open("w") as full:
        words = [sys.executable, "-m", "pipeline", "classify", "--text", text]
        ended = subprocess.run(
            words, cwd=here.directory, env=here.environment(), stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (ended.returncode, ended.stderr) == (1, b"defnews: No space left on device\n")
