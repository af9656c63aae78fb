"""What belongs to an article beyond its page is followed: further pages, versions for phones or print."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.stages.markup import MOST_ELEMENTS
from tests.running import Place, place
from tests.web.internet import Answer, Asked, reply, serving

SENTENCES = [
    f"The {ship} left the yard at noon and joined the {fleet} fleet for trials of its radar, its guns and its crew."
    for ship, fleet in zip(
        ("frigate", "corvette", "cutter", "tender", "destroyer", "submarine", "carrier", "patrol boat", "tug", "oiler"),
        ("northern", "southern", "eastern", "western", "home", "Pacific", "Baltic", "coastal", "reserve", "training"),
        strict=True,
    )
]


def html(part: int, head: str = "", foot: str = "") -> bytes:
    """A page of an article: its paragraphs are those of its part."""
    text = "".join(
        f"<p>In part {part}: {sentence} Officers said so on day {at}.</p>" for at, sentence in enumerate(SENTENCES)
    )
    return reply(
        f"<html><head><title>Frigate delivered</title>{head}</head><body><article><h1>Frigate delivered</h1>"
        f"{text}</article>{foot}</body></html>".encode(),
        Content_Type="text/html",
    )


def teaser(head: str) -> bytes:
    """A page that shows too little."""
    return reply(f"<html><head><title>Frigate delivered</title>{head}</head><p>Soon.</p></html>".encode())


def site(pages: Mapping[str, bytes]) -> Answer:
    return lambda asked: pages.get(asked.path, reply(b"gone", "404 Not Found"))


Stored = tuple[str, str, str, bool]  # extractor, URL, text, whether it is a teaser


async def ingested(here: Place, pages: Answer, *, keep: bool = False) -> tuple[list[Stored], list[str]]:
    """The stored articles behind /frigate, and the paths that were asked for; read again they stay the same."""
    async with serving(pages) as server:
        (here.directory / "urls.txt").write_text(server.url("/frigate", host="127.0.0.1"))
        more = {"DEFNEWS_PAGES__DIRECTORY": str(here.directory / "kept")} if keep else {}
        await here.run("backfill", "--input", "urls.txt", **more)
        again = await here.run("reprocess", **more) if keep else None
    await here.run("export", "out.jsonl")
    rows = [json.loads(line) for line in (here.directory / "out.jsonl").read_text().splitlines()]
    if again is not None:
        assert again.rows[-1]["failed"] == 0, again.out
        assert again.rows[-1]["same"] + again.rows[-1]["not_kept"] == len(rows), again.out
    paths = [path for path in server.paths if path != "/robots.txt"]
    urls = dict(here.ask("SELECT id, url FROM articles"))  # where they were read
    return [(row["extractor"], urls[row["id"]], row["text"], row["is_teaser"]) for row in rows], paths


async def test_an_article_of_three_pages_is_one_with_all_its_text(tmp_path: Path) -> None:
    pages = {
        "/frigate": html(1, foot="<a href=/frigate/2>2</a>"),
        "/frigate/2": html(2, foot="<a href=/frigate>1</a><a href=/frigate/3>3</a>"),
        "/frigate/3": html(3, foot="<a href=/frigate/2>2</a>"),
    }
    [(extractor, url, text, is_teaser)], asked = await ingested(place(tmp_path), site(pages), keep=True)
    assert extractor.endswith("pages 1-3")
    assert url.endswith("/frigate")
    assert [text.count(f"In part {part}:") for part in (1, 2, 3)] == [10, 10, 10]
    assert text.index("part 1") < text.index("part 2") < text.index("part 3")
    assert (is_teaser, asked) == (0, ["/frigate", "/frigate/2", "/frigate/3"])


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({}, id="gone"),
        pytest.param({"/frigate/2": reply(b"<p>" * (MOST_ELEMENTS + 1), Content_Type="text/html")}, id="too large"),
    ],
)
async def test_a_page_that_is_not_to_be_had_ends_the_article_and_is_said(
    tmp_path: Path, second: Mapping[str, bytes]
) -> None:
    pages = {"/frigate": html(1, foot="<a href=/frigate/2>2</a>"), **second}
    [(extractor, _, text, is_teaser)], asked = await ingested(place(tmp_path), site(pages), keep=True)
    assert extractor.endswith("pages 1-1")
    assert (text.count("In part 1:"), is_teaser, asked) == (10, 1, ["/frigate", "/frigate/2"])


async def test_only_ten_pages_are_read(tmp_path: Path) -> None:
    def endless(asked: Asked) -> bytes:
        number = int(asked.path.removeprefix("/frigate").strip("/") or 1) if "frigate" in asked.path else 0
        return html(number, foot=f"<a href=/frigate/{number + 1}>more</a>") if number else reply(b"", "404 Not Found")

    [(extractor, _, _, is_teaser)], asked = await ingested(place(tmp_path), endless)
    assert extractor.endswith("pages 1-10")
    assert (is_teaser, len(asked)) == (1, 10)


@pytest.mark.parametrize(
    "link", ["<link rel=amphtml href=/frigate/amp>", "<link rel=alternate media=print href=/frigate/amp>"]
)
async def test_another_version_is_read_where_the_page_shows_nothing(tmp_path: Path, link: str) -> None:
    pages = {"/frigate": teaser(link), "/frigate/amp": html(1, head="<link rel=canonical href=/frigate>")}
    [(_, url, text, is_teaser)], asked = await ingested(place(tmp_path), site(pages), keep=True)
    assert url.endswith("/frigate/amp")
    assert (text.count("In part 1:"), is_teaser, asked) == (10, 0, ["/frigate", "/frigate/amp"])


async def test_a_version_that_shows_no_more_is_not_taken(tmp_path: Path) -> None:
    head = "<meta name=article:content_tier content=locked><link rel=amphtml href=/frigate/amp>"
    pages = {"/frigate": html(1, head).replace(b"day 9", b"day 9 and to continue reading subscribe to continue")}
    pages["/frigate"] = reply(pages["/frigate"].partition(b"\r\n\r\n")[2], Content_Type="text/html")
    [(_, url, text, is_teaser)], asked = await ingested(place(tmp_path), site(pages), keep=True)
    assert url.endswith("/frigate")
    assert (text.count("In part 1:"), is_teaser, asked) == (10, 1, ["/frigate", "/frigate/amp"])


async def test_a_whole_page_needs_no_other_version(tmp_path: Path) -> None:
    pages = {"/frigate": html(1, head="<link rel=amphtml href=/frigate/amp>"), "/frigate/amp": html(2)}
    _, asked = await ingested(place(tmp_path), site(pages))
    assert asked == ["/frigate"]
