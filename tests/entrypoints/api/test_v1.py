"""The API under /api/v1: what it answers, page by page, and what it says to what cannot be."""

import gzip
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from pipeline.entrypoints import exporting, reading
from pipeline.entrypoints.api import answers, examples, stories
from pipeline.query import Query
from pipeline.store import Store
from tests.conftest import StillClock
from tests.entrypoints.api.conftest import Serve, asking


def titles(answer: httpx.Response) -> list[str]:
    return [row["title"].split()[0] for row in answer.json()["articles"]]


async def newest_id(store: Store) -> int:
    (found,) = await store.search.find(Query(limit=1))
    return found.id


async def test_articles_are_found_by_words_and_filters(filled: Store, serve: Serve) -> None:
    client = await serve()
    assert titles(await client.get("/api/v1/articles?label=other")) == ["Flower"]
    assert titles(await client.get("/api/v1/articles?q=bombers&country=kr&entity=B-52H")) == ["Bombers"]
    assert titles(await client.get("/api/v1/articles?label=defense&label=other&since=2025-07-11&limit=2")) == [
        "Bombers",
        "Frigate",
    ]
    assert titles(await client.get("/api/v1/articles?q=jeju&sort=relevance&limit=1")) == ["Bombers"]


async def test_an_article_of_a_result_shows_why_it_was_found(filled: Store, serve: Serve) -> None:
    client = await serve()
    short = (await client.get("/api/v1/articles?q=jeju&limit=1")).json()["articles"][0]
    whole = (await client.get("/api/v1/articles?q=jeju&limit=1&text=true")).json()["articles"][0]
    assert "[Jeju]" in short["snippet"]
    assert (short["text"], whole["text"][:11]) == (None, "South Korea")
    assert short["entities"][0] == {"name": "B-52H", "kind": "aircraft"}
    assert short["published_at"] == "2025-07-11T11:00:00Z"


@pytest.mark.parametrize("sort", ["newest", "relevance"])
async def test_pages_follow_the_link_header_to_the_last_article(sort: str, filled: Store, serve: Serve) -> None:
    client = await serve()
    seen: list[str] = []
    url = f"/api/v1/articles?limit=2&q=drills&sort={sort}&label=defense&label=other"
    for _ in range(9):
        answer = await client.get(url)
        seen += titles(answer)
        assert "cursor" not in answer.links["first"]["url"]
        if "next" not in answer.links:
            assert answer.json()["next"] is None
            break
        url = answer.links["next"]["url"]
    assert sorted(seen) == sorted(["Bombers", "Frigate", "Flower", "<script>alert(1)</script>", "Drill"])


async def test_one_article_comes_with_all_that_is_known_of_it(filled: Store, serve: Serve) -> None:
    key = await newest_id(filled)
    known = await filled.provenance.of_article(key)
    assert known is not None
    answer = (await (await serve()).get(f"/api/v1/articles/{key}")).json()
    assert set(answer) == set(reading.describe(known))
    assert answer["verdicts"][0]["evidence"][0]["term"] == "air drills"
    assert [appearance["outcome"] for appearance in answer["appearances"]] == ["stored"]
    assert answer["trail"]


async def test_a_label_is_stored_and_counts(filled: Store, serve: Serve) -> None:
    client, key = await serve(), await newest_id(filled)
    given = await client.post("/api/v1/labels", json={"article_id": key, "label": "no", "who": "ann"})
    assert (given.status_code, given.json()["label"]) == (201, "other")
    article = (await client.get(f"/api/v1/articles/{key}")).json()
    assert (article["person_label"], article["label"], article["labels"][0]["who"]) == ("no", "other", "ann")
    missing = await client.post("/api/v1/labels", json={"article_id": 1, "label": "no"})
    assert (missing.status_code, missing.json()["detail"]) == (404, "no article 1")


async def test_feeds_and_counts_are_answered(filled: Store, serve: Serve) -> None:
    client = await serve()
    (feed,) = (await client.get("/api/v1/feeds")).json()["feeds"]
    counts = (await client.get("/api/v1/stats")).json()
    assert (feed["title"], feed["state"]) == ("Feed 1", "new")
    assert (counts["articles"], counts["labels"]) == (5, {"defense": 4, "other": 1})


async def test_what_was_published_lately_is_counted_by_hour_and_day(filled: Store, serve: Serve) -> None:
    client = await serve()
    by_hour = (await client.get("/api/v1/stats?steps=4")).json()
    by_day = (await client.get("/api/v1/stats?step=day&steps=2")).json()
    assert [(row["since"][11:13], row["defense"], row["other"]) for row in by_hour["volume"]] == [
        ("09", 0, 1),
        ("10", 1, 0),
        ("11", 1, 0),
        ("12", 0, 0),
    ]
    assert [(row["since"][:10], row["defense"]) for row in by_day["volume"]] == [("2025-07-10", 0), ("2025-07-11", 4)]
    assert by_day["countries"] == [{"name": "KR", "articles": 1}, {"name": "US", "articles": 1}]
    assert by_day["topics"][0]["articles"] == 4
    assert (await client.get("/api/v1/stats?steps=101")).status_code == 422


async def test_every_parameter_and_answer_is_described(serve: Serve) -> None:
    described = (await (await serve()).get("/api/openapi.json")).json()
    search = described["paths"]["/api/v1/articles"]["get"]
    assert {"q", "label", "country", "cursor", "min_score"} <= {row["name"] for row in search["parameters"]}
    assert all(row.get("description") for row in search["parameters"])
    assert all("422" not in way["responses"] for ways in described["paths"].values() for way in ways.values())
    assert "detail" in search["responses"]["default"]["content"]["application/problem+json"]["schema"]["properties"]
    assert described["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    names = ("articles", "articles/{key}", "stories", "stories/{key}", "feeds", "labels", "stats")
    feeds = {"/feed.rss", "/feed.atom", "/feed.json"}
    assert set(described["paths"]) == {f"/api/v1/{name}" for name in names} | feeds


async def test_each_operation_shows_an_answer_with_what_is_null_in_it(serve: Serve) -> None:
    described = (await (await serve()).get("/api/openapi.json")).json()
    shown = []
    for path, ways in described["paths"].items():
        for way in ways.values():
            (content,) = way["responses"]["201" if path.endswith("labels") else "200"]["content"].values()
            assert (path, bool(content["example"])) == (path, True)
            assert "schema" in content or not path.startswith("/api/")
            shown.append(content["example"])
    assert all(answer in shown for _, answer in SHOWN)


SHOWN: tuple[tuple[type[BaseModel], dict[str, Any]], ...] = (
    (answers.Articles, examples.ARTICLES),
    (answers.WholeArticle, examples.ARTICLE),
    (answers.Feeds, examples.FEEDS),
    (answers.Statistics, examples.STATISTICS),
    (answers.StoredLabel, examples.LABEL),
    (stories.Stories, examples.STORIES),
    (stories.WholeStory, examples.STORY),
)


@pytest.mark.parametrize(("model", "shown"), SHOWN, ids=lambda given: getattr(given, "__name__", ""))
def test_an_answer_that_is_shown_could_be_given(model: type[BaseModel], shown: dict[str, Any]) -> None:
    assert model.model_validate(shown).model_fields_set == set(model.model_fields) == set(shown)


WRONG = {
    "unknown": ("?coutry=KR", "coutry"),
    "label": ("?label=maybe", "label"),
    "country": ("?country=ZZ", "country"),
    "since": ("?since=yesterday", "since"),
    "cursor": ("?cursor=x", "cursor"),
    "cursor of no number": ("?cursor=1.5", "cursor"),
    "cursor with a rank": ("?q=jeju&sort=relevance&cursor=nan_1e5", "cursor"),
    "site": ("?site=%5B", "site"),
    "field": ("?q=country:ZZ", "ZZ"),
    "limit": ("?limit=100000", "limit"),
    "no score": ("?min_score=nan", "min_score"),
    "words": ("?q=a+OR", "column 3"),
    "NUL in words": ("?q=a%00b", "q"),
    "NUL in a name": ("?entity=a%00b", "entity"),
    "long words": ("?q=" + "a" * 1001, "q"),
    "many values": ("?" + "&".join(f"topic=t{n}" for n in range(51)), "topic"),
    "feed": ("?feed=nobody", "nobody"),
    "key": ("/none", "key"),
    "large key": ("/99999999999999999999999", "key"),
}


@pytest.mark.parametrize(("asked", "named"), WRONG.values(), ids=WRONG)
async def test_what_cannot_be_is_a_problem_that_says_what(asked: str, named: str, serve: Serve) -> None:
    answer = await (await serve()).get(f"/api/v1/articles{asked}")
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert (problem["type"], problem["status"], named in problem["detail"]) == ("about:blank", 422, True)
    assert "--" not in problem["detail"]


FAR = "9" * 30
CURSORS = (
    FAR,
    f"-{FAR}",
    f"1_{FAR}",
    f"1_-{FAR}",
    "1e400_5",
    f"5_1.0_-{FAR}_{FAR}",
    f"-{FAR}_nan_5_5",
    "5_inf_0_9",
    "5",
)


@pytest.mark.parametrize("cursor", CURSORS)
async def test_no_cursor_is_an_error_of_ours(cursor: str, filled: Store, serve: Serve) -> None:
    client = await serve()
    for asked in ("q=drills&sort=relevance", "q=drills", ""):
        answer = await client.get(f"/api/v1/articles?{asked}&cursor={cursor}")
        assert answer.status_code in (200, 422), answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/nothing", 404), ("GET", "/api/v1/articles/1", 404), ("GET", "/api/v1/articles/", 404),
     ("DELETE", "/api/v1/articles", 405), ("GET", "/api/v1/labels", 405), ("OPTIONS", "/api/v1/articles", 405)],
)  # fmt: skip
async def test_a_wrong_address_or_method_is_a_problem(method: str, path: str, status: int, serve: Serve) -> None:
    answer = await (await serve()).request(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert ("allow" in answer.headers) == (status == 405)
    assert answer.headers.get("allow", "") in ("", "GET, HEAD", "POST")


async def test_a_label_that_is_none_is_a_problem(serve: Serve) -> None:
    client = await serve()
    for body in ('{"article_id": 1, "label": "maybe"}', '{"article_id": 1}', "[]", "{", '{"article_id": NaN}', "\x00"):
        answer = await client.post("/api/v1/labels", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, (body, answer.text)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_a_label_that_does_not_come_as_json_is_refused(kind: str, serve: Serve) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = await (await serve()).post("/api/v1/labels", content='{"article_id": 1, "label": "no"}', headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (415, "expected application/json")


async def test_a_database_out_of_reach_is_said_with_when_to_ask_again(clock: StillClock) -> None:
    async with Store("postgresql://nobody@127.0.0.1:1/nothing") as store, asking(store, clock) as client:
        answer = await client.get("/api/v1/stats")
        page = await client.get("/", headers={"Accept": "text/html"})
        ready = await client.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["status"]) == (503, "10", 503)
    assert "nobody" not in answer.text + ready.text
    assert (page.status_code, "out of reach" in page.text, ready.status_code) == (503, True, 503)


async def test_a_database_that_takes_no_heartbeat_is_not_ready(store: Store, clock: StillClock, serve: Serve) -> None:
    run, client = await store.runs.start("daemon", clock.now()), await serve()
    clock.advance(seconds=29)
    assert (await client.get("/readyz")).status_code == 200
    clock.advance(seconds=2)
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["ok"]) == (503, False)
    await store.runs.end(run.id, "done", clock.now())
    assert (await client.get("/readyz")).status_code == 200


async def test_an_answer_that_one_has_is_not_sent_again(filled: Store, serve: Serve) -> None:
    client = await serve()
    first = await client.get("/api/v1/articles")
    tag = first.headers["etag"]
    again = await client.get("/api/v1/articles", headers={"If-None-Match": f'"x", {tag}'})
    other = await client.get("/api/v1/articles?limit=1", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200


async def test_long_answers_are_compressed_for_who_can_read_it(filled: Store, serve: Serve) -> None:
    client = await serve()
    packed = await client.send(client.build_request("GET", "/api/v1/articles"), stream=True)
    raw = b"".join([part async for part in packed.aiter_raw()])
    plain = await client.get("/api/v1/articles", headers={"Accept-Encoding": "identity"})
    assert (packed.headers["content-encoding"], gzip.decompress(raw)) == ("gzip", plain.content)
    assert "content-encoding" not in plain.headers
    assert packed.headers["etag"] == plain.headers["etag"]


async def test_head_says_the_same_without_the_body(filled: Store, serve: Serve) -> None:
    client = await serve()
    for path in ("/api/v1/articles", "/api/v1/stats", "/", "/healthz"):
        said, whole = await client.head(path), await client.get(path)
        assert (said.status_code, said.content) == (200, b"")
        assert said.headers["content-type"] == whole.headers["content-type"]


def test_the_rows_of_a_result_have_the_columns_of_an_export() -> None:
    assert set(exporting.COLUMNS) <= set(answers.FoundArticle.model_fields)
