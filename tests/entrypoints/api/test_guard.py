"""Who may ask what: names, tokens, cookies, other sites' pages, pace and size."""

import html
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from pipeline.entrypoints.api.guard import COOKIE_LASTS_S, HEADERS, LARGEST_BODY
from pipeline.entrypoints.api.pace import GUESSES, MOST_ADDRESSES, WRITES, Guesses
from tests.conftest import StillClock
from tests.entrypoints.api.conftest import TOKEN, Serve

READ_TOKEN = "another-token-for-readers"
LABEL = {"article_id": 1, "label": "yes"}  # there is none: 404 says that the write was let through
PAGE = {"Accept": "text/html"}


async def write(client: httpx.AsyncClient, **headers: str) -> int:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return (await client.post("/api/v1/labels", json=LABEL, headers=given)).status_code


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8317", 200), ("localhost", 200), ("LOCALHOST.:1", 200), ("[::1]:8317", 200), ("192.0.2.7", 200),
     ("news.example", 200), ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost@evil.example", 421),
     ("", 421), ("news.example.evil.example", 421), ("a b", 421)],
)  # fmt: skip
async def test_only_our_own_names_are_served(host: str, status: int, serve: Serve) -> None:
    client = await serve(hosts=("News.Example",))
    for path in ("/", "/api/v1/feeds", "/healthz"):
        assert (await client.get(path, headers={"Host": host})).status_code == status


async def test_on_this_machine_no_token_is_needed(serve: Serve) -> None:
    client = await serve()
    assert await write(client) == 404
    assert await write(client, Host="localhost:8317") == 404


@pytest.mark.parametrize(
    "headers",
    [{"Host": "192.0.2.7:8317"}, {"Forwarded": "for=192.0.2.7"}, {"X_Forwarded_For": "192.0.2.7"},
     {"X_Forwarded_Host": "news.example"}, {"X_Real_IP": "192.0.2.7"}, {"Via": "1.1 proxy"},
     {"X_Forwarded_Server": "news.example"}, {"CF_Connecting_IP": "192.0.2.7"}, {"X_Original_Host": "news.example"}],
    ids=str,
)  # fmt: skip
async def test_what_may_come_from_elsewhere_cannot_write_without_a_token(headers: dict[str, str], serve: Serve) -> None:
    assert await write(await serve(), **headers) == 403
    assert await write(await serve(token=TOKEN), **headers) == 401
    assert await write(await serve(token=TOKEN), **headers, Authorization=f"Bearer {TOKEN}") == 404


async def test_who_listens_on_more_than_loopback_needs_a_token_for_writes(serve: Serve) -> None:
    assert await write(await serve(listen="0.0.0.0:8317")) == 403
    assert await write(await serve(listen="0.0.0.0:8317", token=TOKEN), Authorization=f"bearer {TOKEN}") == 404


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"]
)
async def test_a_token_that_is_set_is_needed_and_no_other_one_does(given: str, serve: Serve) -> None:
    client = await serve(token=TOKEN)
    answer = await client.post("/api/v1/labels", json=LABEL, headers={"Authorization": given} if given else {})
    assert (answer.status_code, answer.headers["www-authenticate"][:6]) == (401, "Bearer")
    assert (await client.get("/api/v1/feeds")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Origin": "http://["}, 403),
     ({"Origin": "http://127.0.0.1:9"}, 403),
     ({"Sec_Fetch_Site": "cross-site"}, 403), ({"Sec_Fetch_Site": "same-site"}, 403),
     ({"Origin": "http://127.0.0.1:8317", "Sec_Fetch_Site": "same-origin"}, 404), ({"Sec_Fetch_Site": "none"}, 404)],
    ids=str,
)  # fmt: skip
async def test_a_page_of_another_site_cannot_write(headers: dict[str, str], status: int, serve: Serve) -> None:
    assert await write(await serve(), **headers) == status
    with_token = await serve(token=TOKEN)
    assert await write(with_token, Authorization=f"Bearer {TOKEN}", **headers) == status


async def test_a_read_token_closes_everything_but_probes_and_signing_in(serve: Serve) -> None:
    client = await serve(token=TOKEN, read_token=READ_TOKEN)
    for path in ("/api/v1/feeds", "/api/openapi.json", "/nothing"):
        assert (await client.get(path)).status_code == 401
        for token in (TOKEN, READ_TOKEN):
            assert (await client.get(path, headers={"Authorization": f"Bearer {token}"})).status_code != 401
    for path in ("/healthz", "/readyz", "/sign-in", "/page.css"):
        assert (await client.get(path)).status_code == 200
    assert (await client.get("/readyz")).json() == {"ok": True}
    assert "articles" in (await client.get("/readyz", headers={"Authorization": f"Bearer {READ_TOKEN}"})).json()
    assert await write(client, Authorization=f"Bearer {READ_TOKEN}") == 401


async def test_a_browser_is_led_to_sign_in_and_back_to_where_it_was(serve: Serve) -> None:
    client = await serve(token=TOKEN, read_token=READ_TOKEN)
    sent = await client.get("/?q=jeju&label=all", headers=PAGE)
    asked = await client.get(sent.headers["location"], headers=PAGE)
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=/%3Fq%3Djeju%26label%3Dall")
    assert 'value="/?q=jeju&amp;label=all"' in asked.text
    given = await client.post("/sign-in", data={"token": READ_TOKEN, "next": "/?q=jeju&label=all"})
    cookie = given.headers["set-cookie"]
    assert (given.status_code, given.headers["location"]) == (303, "/?q=jeju&label=all")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert READ_TOKEN not in cookie
    assert (await client.get("/", headers=PAGE)).status_code == 200
    assert await write(client) == 401


@pytest.mark.parametrize(
    ("referer", "back"), [("http://127.0.0.1:8317/articles/1", "/articles/1"), ("http://[", "/"), ("x", "/"), ("", "/")]
)
async def test_a_refused_form_leads_back_to_its_page(referer: str, back: str, serve: Serve) -> None:
    client = await serve(token=TOKEN)
    sent = await client.post("/articles/1", headers={**PAGE, "Referer": referer})
    assert (sent.status_code, sent.headers["location"]) == (303, f"/sign-in?next={back}")


@pytest.mark.parametrize("place", ["/entities/%D0%9C%D0%B8%D0%B3", "/topics/a%2Fb%3Fc%23?x=%C3%BC", "/topics/100%25"])
async def test_signing_in_leads_back_to_a_page_of_any_name(place: str, serve: Serve) -> None:
    client = await serve(token=TOKEN, read_token=READ_TOKEN)
    refused = await client.get(place, headers=PAGE)
    asked = await client.get(refused.headers["location"])
    way_on = html.unescape(asked.text.split('name="next" value="')[1].split('"')[0])
    assert (await client.post("/sign-in", data={"token": TOKEN, "next": way_on})).headers["location"] == place


async def test_a_form_has_only_so_many_fields(serve: Serve) -> None:
    for path in ("/sign-in", "/review"):
        assert (await (await serve()).post(path, content=b"a&" * 200)).status_code == 422


async def test_the_cookie_of_a_writer_writes_until_it_is_old_or_taken_away(serve: Serve, clock: StillClock) -> None:
    client = await serve(token=TOKEN)
    await client.post("/sign-in", data={"token": TOKEN})
    assert await write(client, Origin="http://127.0.0.1:8317") == 404
    assert await write(client, Origin="http://evil.example") == 403
    clock.at += timedelta(seconds=COOKIE_LASTS_S + 1)
    assert await write(client) == 401
    await client.post("/sign-in", data={"token": TOKEN})
    assert await write(client) == 404
    await client.post("/sign-out")
    assert await write(client) == 401


@pytest.mark.parametrize(
    "cookie", ["writer.9999999999.00", "writer..", "writer", "..", "writer.x.y", "reader.9999999999."]
)
async def test_a_made_up_cookie_is_none(cookie: str, serve: Serve) -> None:
    assert await write(await serve(token=TOKEN), Cookie=f"defnews={cookie}") == 401


async def test_a_cookie_ends_with_its_token(serve: Serve) -> None:
    old, new = await serve(token=TOKEN), await serve(token=TOKEN + "2")
    await old.post("/sign-in", data={"token": TOKEN})
    assert await write(new, Cookie=f"defnews={old.cookies['defnews']}") == 401
    assert await write(old) == 404


@pytest.mark.parametrize("data", [{"token": "wrong"}, {}, {"token": ""}, {"token": "\x00"}])
async def test_a_wrong_token_gives_no_cookie(data: dict[str, str], serve: Serve) -> None:
    answer = await (await serve(token=TOKEN)).post("/sign-in", data=data)
    assert (answer.status_code, "not the token" in answer.text, "set-cookie" in answer.headers) == (403, True, False)


@pytest.mark.parametrize("way", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_signing_in_leads_nowhere_else(way: str, serve: Serve) -> None:
    answer = await (await serve(token=TOKEN)).post("/sign-in", data={"token": TOKEN, "next": way})
    assert answer.headers["location"] == "/"


async def test_writes_have_a_pace(serve: Serve, clock: StillClock) -> None:
    client = await serve()
    assert {await write(client) for _ in range(WRITES.burst)} == {404}
    refused = await client.post("/api/v1/labels", json=LABEL)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    clock.advance(seconds=1)
    assert [await write(client) for _ in range(3)] == [404, 404, 429]
    assert (await client.get("/api/v1/feeds")).status_code == 200


async def test_a_body_has_a_largest_size_whether_it_says_so_or_not(serve: Serve) -> None:
    client = await serve()

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY // 65_536 + 1):
            yield b" " * 65_536

    said = await client.post("/api/v1/labels", content=b" " * (LARGEST_BODY + 1))
    silent = await client.post("/api/v1/labels", content=stream(), headers={"Content-Type": "application/json"})
    lied = await client.post("/api/v1/labels", content=b"{}", headers={"Content-Length": "x"})
    assert (said.status_code, silent.status_code, lied.status_code) == (413, 413, 413)


async def test_every_answer_has_the_headers_that_keep_it_safe(serve: Serve) -> None:
    client = await serve()
    answers = [
        await client.get("/api/v1/feeds"),
        await client.get("/nothing"),
        await client.get("/", headers={"Host": "evil.example"}),
        await client.get("/"),
        await client.get("/sign-in"),
        await client.post("/api/v1/labels", json=LABEL, headers={"Origin": "null"}),
        ours := await client.post("/feeds", data={"url": "http://x.example/"}),  # this engine has no web
    ]
    assert ours.status_code == 500
    for answer in answers:
        assert all(name in answer.headers for name in HEADERS)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_people_read_problems_as_pages(serve: Serve) -> None:
    answer = await (await serve()).get("/<b>", headers=PAGE)
    assert (answer.status_code, answer.headers["content-type"][:9], "<b>" in answer.text) == (404, "text/html", False)


async def test_who_guesses_is_refused_for_a_while_even_with_the_right_token(serve: Serve, clock: StillClock) -> None:
    client = await serve(token=TOKEN)
    for number in range(GUESSES.burst):
        assert await write(client, Authorization=f"Bearer guess-{number}") == 401
    refused = await client.get("/", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    assert (await client.post("/sign-in", data={"token": TOKEN})).status_code == 429
    assert (await client.get("/")).status_code == 200
    clock.advance(seconds=5)
    assert await write(client, Authorization=f"Bearer {TOKEN}") == 404


async def test_wrong_tokens_of_the_sign_in_page_count_and_cookies_stay_good(serve: Serve) -> None:
    client = await serve(token=TOKEN)
    await client.post("/sign-in", data={"token": TOKEN})
    tries = [(await client.post("/sign-in", data={"token": "wrong"})).status_code for _ in range(GUESSES.burst + 1)]
    assert tries == [403] * GUESSES.burst + [429]
    assert await write(client) == 404


async def test_a_token_that_nobody_asks_for_is_no_guess(serve: Serve) -> None:
    client = await serve()
    assert {await write(client, Authorization="Bearer any") for _ in range(GUESSES.burst + 1)} == {404}


def test_one_who_guesses_does_not_keep_others_out_nor_fill_the_memory(clock: StillClock) -> None:
    guesses = Guesses(clock)
    for _ in range(GUESSES.burst):
        guesses.count("192.0.2.1")
    assert (guesses.wait_s("192.0.2.1"), guesses.wait_s("192.0.2.2")) == (5.0, 0)
    for number in range(MOST_ADDRESSES):
        guesses.count(f"2001:db8::{number:x}")
    assert guesses.wait_s("192.0.2.1") == 0  # forgotten
