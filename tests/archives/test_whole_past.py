"""Every archive finds all articles of a range and none twice, and names what it could not read."""

import pytest

from pipeline.archives import Span
from tests.archives.walking import AT, JULY, walk, wanted, within

WAYS = [
    pytest.param("rfc5005", "corvid", id="archive documents"),
    pytest.param("sitemap", "keel", id="sitemaps"),
    pytest.param("wordpress", "vector", id="the API of WordPress"),
    pytest.param("gdelt", "keel", id="an index of the news"),
    pytest.param("wayback", "meridian", id="a web archive"),
]
CHAINS = [way for way in WAYS if way.values[0] not in ("wordpress", "gdelt")]  # of several documents for July


@pytest.mark.parametrize(("name", "site"), WAYS)
def test_all_articles_of_a_range_are_found_and_none_twice(name: str, site: str) -> None:
    walked = walk(name, wanted(site))
    assert within(site) - set(walked.urls) == set()
    assert len(walked.urls) == len(set(walked.urls)) or name == "wayback"  # a feed lists an entry on several days
    assert (walked.missed, walked.is_back) == ([], name != "gdelt")  # which does not know all articles of a site
    assert len(within(site)) > 20


@pytest.mark.parametrize(("name", "site"), CHAINS)
def test_a_narrow_range_needs_fewer_documents_than_all_of_the_past(name: str, site: str) -> None:
    narrow, whole = (walk(name, wanted(site, Span(since))) for since in (JULY.until, AT.replace(year=2000)))
    assert len(narrow.asked) < len(whole.asked)


@pytest.mark.parametrize(("name", "site"), CHAINS)
@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        pytest.param(503, b"", "http-503", id="out of service"),
        pytest.param(404, b"gone", "http-404", id="gone"),
        pytest.param(200, b"", None, id="empty"),
        pytest.param(200, b"x" * 10_000_000, None, id="a line of 10 MB"),
    ],
)
def test_a_document_that_cannot_be_read_is_named_and_the_others_count(
    name: str, site: str, status: int, body: bytes, reason: str | None
) -> None:
    whole = walk(name, wanted(site))
    lost = whole.asked[2 if name == "wayback" else -2]
    walked = walk(name, wanted(site), {lost: (status, body)})
    assert len(walked.missed) == 1
    assert reason is None or walked.missed == [reason]
    assert 0 < len(walked.urls) < len(whole.urls)
