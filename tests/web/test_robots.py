"""robots.txt: obeyed for pages and archives, kept for a day, and what its absence or silence means."""

import asyncio
from datetime import datetime, timedelta

import pytest

from pipeline.errors import WebError
from pipeline.model import Request, RequestKind, Robots
from pipeline.web.robots import MAX_BYTES, Rules
from tests import make
from tests.web.internet import (
    START,
    Answer,
    Asked,
    FastClock,
    MemoryPace,
    a_web,
    everywhere,
    feed,
    moved,
    page,
    reply,
    serving,
    silence,
)

DISALLOWED = "User-agent: *\nDisallow: /private\n"


def with_robots(robots: bytes, rest: bytes = reply(b"<html>")) -> Answer:
    return lambda asked: robots if asked.path == "/robots.txt" else rest


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/a", True),
        (DISALLOWED, "/a", True),
        (DISALLOWED, "/private/a", False),
        ("User-agent: *\nDisallow: /\n", "/robots.txt", True),
        ("User-agent: DefNews\nDisallow: /\n\nUser-agent: *\nDisallow:\n", "/a", False),
        ("User-agent: defnews\nAllow: /\n\nUser-agent: *\nDisallow: /\n", "/a", True),
        ("User-agent: otherbot\nDisallow: /\n", "/a", True),
        ("User-agent: *\nDisallow: /\nAllow: /news/\n", "/news/1", True),
        ("User-agent: *\nDisallow: /*.pdf$\n", "/a.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$\n", "/a.pdf?x", True),
        ("<html>Disallow: /</html>", "/a", True),
    ],
)
def test_the_rules_of_robots_txt(text: str, path: str, allowed: bool) -> None:
    assert Rules(text, "defnews").allow(f"https://news.example{path}") is allowed


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("0.5", 0.5), ("3600", 60), ("1e300", 60), ("-1", None), ("soon", None), ("nan", None)],
)
def test_a_crawl_delay_is_a_minute_at_most(value: str, seconds: float | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert Rules(f"User-agent: *\nCrawl-delay: {value}\n", "defnews").crawl_delay == expected


async def test_a_disallowed_page_is_not_asked_for() -> None:
    async with serving(with_robots(reply(DISALLOWED.encode()))) as site, a_web() as web:
        with pytest.raises(WebError) as caught:
            await web.send(page(site.url("/private/1")))
        assert (caught.value.reason, caught.value.retryable) == ("robots-disallowed", False)
        assert site.paths == ["/robots.txt"]


async def test_a_disallowed_page_costs_no_turn() -> None:
    pace = MemoryPace()
    async with serving(with_robots(reply(DISALLOWED.encode()))) as site, a_web(pace) as web:
        for _ in range(3):
            with pytest.raises(WebError):
                await web.send(page(site.url("/private/1")))
        assert len(pace[site.key()].claims) == 1


@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        (RequestKind.PAGE, ["/robots.txt", "/a"]),
        (RequestKind.ARCHIVE, ["/robots.txt", "/a"]),
        (RequestKind.FEED, ["/a"]),
    ],
)
async def test_pages_and_archives_ask_robots_txt_and_feeds_do_not(kind: RequestKind, paths: list[str]) -> None:
    async with serving(with_robots(reply(b""))) as site, a_web() as web:
        await web.send(Request(site.url("/a"), kind))
        assert site.paths == paths


async def test_robots_txt_takes_its_own_turn() -> None:
    pace = MemoryPace()
    async with serving(with_robots(reply(b""))) as site, a_web(pace) as web:
        await web.send(page(site.url("/a")))
        assert pace[site.key()].claims == [START, START + timedelta(seconds=5)]


async def test_robots_txt_is_asked_for_once_by_many_pages() -> None:
    async with serving(with_robots(reply(b""))) as site, a_web() as web:
        await asyncio.gather(*(web.send(page(site.url(f"/{number}"))) for number in range(4)))
        assert site.paths == ["/robots.txt", "/0", "/1", "/2", "/3"]


async def test_many_pages_share_the_answer_of_a_silent_host() -> None:
    async with serving(silence) as site, a_web(timeout=timedelta(seconds=0.2)) as web:
        sends = [web.send(page(site.url(f"/{number}"))) for number in range(20)]
        errors = await asyncio.gather(*sends, return_exceptions=True)
        assert {str(error.reason) for error in errors if isinstance(error, WebError)} == {"robots-unreachable"}
        assert [error.subject for error in errors if isinstance(error, WebError)] == [
            site.url(f"/{number}") for number in range(20)
        ]
        assert site.paths == ["/robots.txt"]
        with pytest.raises(WebError):
            await web.send(page(site.url("/later")))
        assert site.paths == ["/robots.txt"] * 2


async def test_robots_txt_is_kept_over_a_restart() -> None:
    pace, clock = MemoryPace(), FastClock()
    async with serving(with_robots(reply(DISALLOWED.encode()))) as site:
        for _ in range(2):
            async with a_web(pace, clock) as web:
                await web.send(page(site.url("/a")))
        assert site.paths == ["/robots.txt", "/a", "/a"]
        assert pace[site.key()].robots == Robots(DISALLOWED, START)


@pytest.mark.parametrize(("hours", "asked"), [(23, 1), (25, 2)])
async def test_robots_txt_is_asked_for_again_after_a_day(hours: float, asked: int) -> None:
    clock = FastClock()
    async with serving(with_robots(reply(b""))) as site, a_web(clock=clock) as web:
        await web.send(page(site.url("/a")))
        await clock.sleep(timedelta(hours=hours).total_seconds())
        await web.send(page(site.url("/a")))
        assert site.paths.count("/robots.txt") == asked


@pytest.mark.parametrize(
    "status", ["404 Not Found", "403 Forbidden", "410 Gone", "401 Unauthorized", "304 Not Modified"]
)
async def test_a_site_without_robots_txt_allows_everything(status: str) -> None:
    pace = MemoryPace()
    async with serving(with_robots(reply(DISALLOWED.encode(), status))) as site, a_web(pace) as web:
        assert (await web.send(page(site.url("/private/1")))).status == 200
        assert pace[site.key()].robots == Robots("", START)


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "503 Busy", "429 Too Many Requests"])
async def test_a_site_that_cannot_say_is_asked_later(status: str) -> None:
    pace = MemoryPace()
    async with serving(with_robots(reply(b"", status, Retry_After="60"))) as site, a_web(pace) as web:
        with pytest.raises(WebError) as caught:
            await web.send(page(site.url("/a")))
        assert (caught.value.reason, caught.value.retryable) == ("robots-unreachable", True)
        assert caught.value.subject == site.url("/a")
        assert pace[site.key()].robots is None
        assert site.paths == ["/robots.txt"]


async def test_robots_txt_that_never_comes_is_unreachable() -> None:
    async with serving(silence) as site, a_web(timeout=timedelta(seconds=0.2)) as web:
        with pytest.raises(WebError) as caught:
            await web.send(page(site.url("/a")))
        assert (caught.value.reason, caught.value.retryable) == ("robots-unreachable", True)


@pytest.mark.parametrize(("path", "reason"), [("/a", None), ("/private/1", "robots-disallowed")])
async def test_old_rules_hold_while_the_file_cannot_be_had(path: str, reason: str | None) -> None:
    pace = MemoryPace()
    async with serving(with_robots(reply(b"", "500 Oops"))) as site, a_web(pace) as web:
        pace[site.key()].robots = Robots(DISALLOWED, START - timedelta(days=3))
        if reason is None:
            assert (await web.send(page(site.url(path)))).status == 200
        else:
            with pytest.raises(WebError) as caught:
                await web.send(page(site.url(path)))
            assert caught.value.reason == reason


async def test_a_refused_address_is_said_to_be_one() -> None:
    async with a_web(allow_private=()) as web:
        with pytest.raises(WebError) as caught:
            await web.send(page("http://news.example/a"))
        assert (caught.value.reason, caught.value.retryable) == ("address-refused", False)


async def test_a_resting_host_is_said_to_be_one() -> None:
    pace = MemoryPace()
    await pace.rest("news.example:80", make.rest(START + timedelta(hours=1)))
    async with a_web(pace) as web:
        with pytest.raises(WebError) as caught:
            await web.send(page("http://news.example/a"))
        assert caught.value.retry_at == START + timedelta(hours=1)


@pytest.mark.parametrize(("hops", "allowed"), [(5, False), (6, True)])
async def test_robots_txt_is_followed_through_five_redirects(hops: int, allowed: bool) -> None:
    def answer(asked: Asked) -> bytes:
        step = 0 if asked.path == "/robots.txt" else int(asked.path.strip("/private") or -1)
        if asked.path == "/private/":
            return reply(b"<html>")
        return moved(f"/{step + 1}") if step < hops else reply(DISALLOWED.encode())

    async with serving(answer) as site, a_web() as web:
        if allowed:
            await web.send(page(site.url("/private/")))
        else:
            with pytest.raises(WebError, match="robots-disallowed"):
                await web.send(page(site.url("/private/")))


@pytest.mark.parametrize("to", ["file:///etc/passwd", "/robots.txt"], ids=["elsewhere", "itself"])
async def test_a_redirect_to_nowhere_means_no_robots_txt(to: str) -> None:
    async with serving(with_robots(moved(to))) as site, a_web() as web:
        assert (await web.send(page(site.url("/a")))).status == 200


async def test_of_a_huge_robots_txt_the_first_500_kib_count() -> None:
    early = b"User-agent: *\nDisallow: /early\n" + b"#" * MAX_BYTES + b"\nDisallow: /late\n"
    async with serving(with_robots(reply(early))) as site, a_web() as web:
        assert (await web.send(page(site.url("/late")))).status == 200
        with pytest.raises(WebError, match="robots-disallowed"):
            await web.send(page(site.url("/early")))


async def test_the_crawl_delay_stands_between_all_requests() -> None:
    pace = MemoryPace()
    text = b"User-agent: *\nCrawl-delay: 20\n"
    async with serving(with_robots(reply(text))) as site, a_web(pace) as web:
        await web.send(page(site.url("/a")))
        await web.send(feed(site.url("/feed")))
        assert pace[site.key()].claims == [START + timedelta(seconds=20 * n) for n in range(3)]


async def test_a_redirect_is_held_to_the_rules_of_its_host() -> None:
    def elsewhere(asked: Asked) -> bytes:
        return reply(DISALLOWED.encode()) if asked.path == "/robots.txt" else reply(b"<html>")

    async with serving(elsewhere) as other:

        def here(asked: Asked) -> bytes:
            return reply(b"") if asked.path == "/robots.txt" else moved(other.url("/private/1", host="other.example"))

        async with serving(here) as site, a_web() as web:
            with pytest.raises(WebError) as caught:
                await web.send(page(site.url("/go")))
            assert caught.value.reason == "robots-disallowed"
            assert other.paths == ["/robots.txt"]


async def test_a_redirect_within_a_host_is_held_to_its_rules() -> None:
    def answer(asked: Asked) -> bytes:
        return reply(DISALLOWED.encode()) if asked.path == "/robots.txt" else moved("/private/1")

    async with serving(answer) as site, a_web() as web:
        with pytest.raises(WebError, match="robots-disallowed"):
            await web.send(page(site.url("/go")))
        assert site.paths == ["/robots.txt", "/go"]


async def test_robots_txt_is_no_part_of_the_deadline() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        await asyncio.sleep(0.25)
        return list(await everywhere(host, port))

    async with serving(with_robots(reply(b""))) as site, a_web(resolve=resolve, timeout=timedelta(seconds=0.4)) as web:
        assert (await web.send(page(site.url("/a")))).status == 200


async def test_robots_txt_in_any_bytes_is_read() -> None:
    pace = MemoryPace()
    async with serving(with_robots(reply(b"\xef\xbb\xbfUser-agent: *\nDisallow: /\xff\n"))) as site, a_web(pace) as web:
        await web.send(page(site.url("/a")))
        kept = pace[site.key()].robots
        assert kept is not None
        assert kept.text.startswith("User-agent")
        assert isinstance(kept.fetched_at, datetime)
