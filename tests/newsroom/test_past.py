"""What the newsroom keeps of the past: every article is where the archives of its kind would have it."""

import json
from datetime import UTC, datetime

from pipeline.newsroom import Newsroom
from pipeline.newsroom.documents import Document, document
from pipeline.newsroom.elsewhere import MOST_INDEXED
from pipeline.newsroom.sites import SITES

ROOM = Newsroom(seed=1, at=datetime(2025, 7, 12, 12, 0, tzinfo=UTC), extra=400)
VECTOR = ROOM.origins[0]


def get(target: str, origin: str = VECTOR) -> Document:
    return document(ROOM, origin, target)


def test_the_api_pages_posts_of_a_range_and_refuses_what_is_beyond() -> None:
    posts = "/wp-json/wp/v2/posts?per_page=10&_fields=link,date_gmt"
    first, second = (json.loads(get(f"{posts}&page={n}").body) for n in (1, 2))
    assert [len(page) for page in (first, second)] == [10, 10]
    assert not {post["link"] for post in first} & {post["link"] for post in second}
    assert set(first[0]) == {"link", "date_gmt"}
    assert (get(f"{posts}&page=99").status, get(posts, ROOM.origins[1]).status) == (400, 404)


def test_pages_of_a_feed_end_with_a_404() -> None:
    assert get("/feed/?paged=2").body not in (get("/feed/").body, get("/feed/?paged=3").body)
    assert get("/feed/?paged=999").status == 404


def test_archive_documents_that_were_never_made_are_not_there() -> None:
    origin = ROOM.origins[3]
    assert b"prev-archive" in get("/atom.xml", origin).body
    assert [get(f"/past/atom.xml/{name}", origin).status for name in ("x-y", "9000-9020", "0-20")] == [404, 404, 200]


def test_the_index_of_captures_gives_what_is_asked_and_a_key_for_the_rest() -> None:
    host = VECTOR.removeprefix("http://")
    lines = get(f"/cdx/search/cdx?url={host}&matchType=domain&limit=5&showResumeKey=true&fl=timestamp,original").body
    assert len(lines.decode().splitlines()) == 7
    html = get(f"/cdx/search/cdx?url={host}&matchType=domain&filter=mimetype:text/html&fl=mimetype").body
    assert set(html.split()) == {b"text/html"}


def test_a_copy_is_the_page_and_another_moment_leads_to_the_nearest() -> None:
    article = ROOM.listed(SITES[0])[-1]
    led = get(f"/web/20200101000000id_/{article.url}")
    (place,) = (value for name, value in led.headers if name == "Location")
    assert (led.status, article.title in get(place).body.decode()) == (302, True)
    assert get(f"/web/20200101000000id_/{VECTOR}/never").status == 404


def test_the_index_of_the_news_never_names_more_than_it_may() -> None:
    asked = "/api/v2/doc/doc?query=a&maxrecords=9999&startdatetime=20200101000000&enddatetime=20260101000000"
    assert len(json.loads(get(asked).body)["articles"]) == MOST_INDEXED
    assert json.loads(get(asked.replace("query=a", "query=nosuchword")).body) == {}
