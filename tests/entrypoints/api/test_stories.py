"""/api/v1/stories: events, who tells of them, and their reports."""

from pipeline.store import Store
from tests.entrypoints.api.conftest import Serve
from tests.store.test_stories import DRILL, FRIGATE, put, reports


async def test_stories_are_listed_with_who_tells_of_them_and_shown_with_their_reports(
    store: Store, serve: Serve
) -> None:
    ids = await put(store, [*reports(DRILL), *reports(FRIGATE, 11)])
    client = await serve()
    first = await client.get("/api/v1/stories?sort=size&limit=1&country=kr")
    (drill,) = first.json()["stories"]
    assert (drill["id"], drill["size"], len(drill["outlets"]), len(drill["families"])) == (ids[0], 3, 3, 3)
    assert drill["corroboration"].startswith("reported by 3 outlets of 3 families")
    following = (await client.get(first.links["next"]["url"])).json()
    assert ([story["id"] for story in following["stories"]], following["next"]) == ([ids[3]], None)
    whole = (await client.get(f"/api/v1/stories/{ids[0]}")).json()
    assert [report["article_id"] for report in whole["reports"]] == sorted(ids[:3])
    within = (await client.get(f"/api/v1/articles?story={ids[0]}")).json()["articles"]
    assert {article["id"] for article in within} == set(ids[:3])


async def test_what_cannot_be_is_a_problem(serve: Serve) -> None:
    client = await serve()
    codes = {"/api/v1/stories/7": 404, "/api/v1/stories/-1": 404, "/api/v1/stories?sort=x": 422}
    codes |= {"/api/v1/stories?country=XX1": 422, "/api/v1/stories?cursor=x": 422, "/api/v1/stories?what=1": 422}
    far = "9" * 25
    cursors = ("2025-01-01_5", f"2025-01-01T00:00:00Z_{far}", f"5_{far}&sort=size", f"{far}_5&sort=growth")
    codes |= {f"/api/v1/stories?cursor={cursor}": 422 for cursor in cursors}
    for path, status in codes.items():
        answer = await client.get(path)
        assert (path, answer.status_code, answer.json()["status"]) == (path, status, status)
