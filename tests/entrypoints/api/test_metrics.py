"""/metrics: what Prometheus reads there."""

from prometheus_client.parser import text_string_to_metric_families

from pipeline.model import Hub
from pipeline.store import Store
from tests.entrypoints.api.conftest import TOKEN, Serve
from tests.make import AT

Figures = dict[tuple[str, str], float]


def read(text: str) -> Figures:
    """Each figure by its name and the values of its labels."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, " ".join(sample.labels.values())): sample.value for sample in samples}


async def test_figures_of_the_database_and_the_daemon_are_counted(filled: Store, serve: Serve) -> None:
    (row,) = await filled.feeds.listing()
    await filled.subscriptions.offer(row.feed.id, Hub("https://hub.example/", row.feed.url), "https://us.example/", AT)
    answer = await (await serve()).get("/metrics")
    figures = read(answer.text)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert figures["defnews_articles", "defense"] == 4
    assert figures["defnews_articles", "other"] == 1
    assert figures["defnews_entries", "done/stored"] == 5
    assert figures["defnews_feeds", "new"] == 1
    assert figures["defnews_subscriptions", "waiting"] == 1
    (listed,) = (await (await serve()).get("/api/v1/feeds")).json()["feeds"]
    assert listed["push"].startswith("not pushed: https://hub.example/ is asked")
    assert figures["defnews_ticks", "poll/done"] == 3
    assert figures["defnews_tick_age_seconds", ""] == 1


async def test_every_answer_is_counted_refusals_too(store: Store, serve: Serve) -> None:
    client = await serve(token=TOKEN)
    for _ in range(2):
        await client.get("/nothing")
    await client.post("/api/v1/labels", json={})
    await client.get("/", headers={"Host": "evil.example"})
    await client.request("BREW", "/coffee")
    figures = read((await client.get("/metrics")).text)
    name = "defnews_http_request_seconds_count"
    assert [figures[name, labels] for labels in ("GET 404", "POST 401", "GET 421", "other 401")] == [2, 1, 1, 1]
