"""When an entry's own text serves instead of its page: after agreement, for whole texts only, checked now and then."""

from typing import Any

import pytest

from pipeline.model import Article, Entry, FeedTrust
from pipeline.stages.extract import FEED_CONTENT, FEED_SUMMARY
from pipeline.stages.substitute import ENOUGH, EVERY, after, agrees, is_checked, serves, whole
from tests import make
from tests.make import AT

SENTENCES = [f"On day {n} the navy took delivery of its ship number {n * 7} in the northern port." for n in range(20)]
TEXT = "\n".join(SENTENCES)
URL = "https://site1.example/news/1"
TRUSTED, DOUBTED = FeedTrust(agreed=ENOUGH), FeedTrust(is_doubted=True)


def entry(text: str = TEXT, **changes: Any) -> Entry:
    content = "".join(f"<p>{line}</p>" for line in text.split("\n")) if text else None
    return make.entry(1, title="Ship delivered", content=content, **changes)


def page(**changes: Any) -> Article:
    given = entry()
    return make.article(1, **{"title": "Ship delivered", "text": TEXT, "published_at": given.published_at, **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, True, id="the same"),
        pytest.param({"text": TEXT + "\nAnother line of the page."}, True, id="nearly the same"),
        pytest.param({"text": "\n".join(SENTENCES[:12])}, False, id="much is missing"),
        pytest.param({"canonical_url": "https://site1.example/other"}, False, id="another address"),
        pytest.param({"title": "Ship delivered late"}, False, id="another title"),
        pytest.param({"published_at": AT.replace(day=1)}, False, id="another day"),
        pytest.param({"is_teaser": True}, None, id="only a beginning"),
        pytest.param({"extractor": FEED_CONTENT}, None, id="not read from the page"),
        pytest.param({"extractor": FEED_SUMMARY}, None, id="not read from the page either"),
    ],
)
def test_an_entry_agrees_with_its_page_where_both_lead_to_the_same_article(
    changes: dict[str, Any], expected: bool | None
) -> None:
    assert agrees(page(**changes), entry(), AT) is expected


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(entry(""), id="nothing"),
        pytest.param(entry("", summary=TEXT), id="a summary"),
        pytest.param(entry("\n".join(SENTENCES[:5])), id="an excerpt"),
        pytest.param(entry(published_at=None), id="no date"),
        pytest.param(entry("\n".join((*SENTENCES[:15], "Subscribe to continue reading."))), id="a plea"),
        pytest.param(entry(url=None), id="no link"),
    ],
)
def test_an_entry_that_carries_less_than_an_article_is_none(given: Entry) -> None:
    assert whole(given, AT) is None
    assert agrees(page(), given, AT) is False


def test_a_feed_is_trusted_after_so_many_agreements_in_a_row() -> None:
    trust = FeedTrust()
    for _ in range(ENOUGH):
        assert is_checked(trust, entry())
        assert not serves(trust, entry())
        trust = after(trust, entry(), has_agreed=True)
    assert trust == TRUSTED
    assert serves(trust, entry())


@pytest.mark.parametrize("trust", [TRUSTED, DOUBTED], ids=["trusted", "doubted"])
def test_a_feed_that_is_known_is_checked_once_in_a_while(trust: FeedTrust) -> None:
    checked = []
    for _ in range(3 * EVERY):
        checked.append(is_checked(trust, entry()))
        assert not (serves(trust, entry()) and checked[-1])
        trust = after(trust, entry(), trust.agreed == ENOUGH if checked[-1] else None)
    assert sum(checked) == 3
    assert checked.index(True) == EVERY - 1


def test_one_disagreement_ends_the_trust_and_one_agreement_the_doubt() -> None:
    assert after(TRUSTED, entry(), has_agreed=False) == DOUBTED
    assert not serves(DOUBTED, entry())
    assert after(DOUBTED, entry(), has_agreed=True) == FeedTrust(agreed=1)


def test_entries_without_a_text_of_their_own_count_for_nothing() -> None:
    assert after(TRUSTED, entry(""), has_agreed=None) == TRUSTED
    assert not is_checked(FeedTrust(), entry(""))
    assert not serves(TRUSTED, entry(""))
    assert not serves(TRUSTED, entry("Short."))
