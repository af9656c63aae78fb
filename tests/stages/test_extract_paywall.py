"""Prices and texts -> teasers: what is marked as only the beginning of an article."""

import pytest

from pipeline.stages.extract.jsonld import Node
from pipeline.stages.extract.paywall import LONGEST_TEASER, is_free, is_teaser

SENTENCE = "The navy took delivery of the second frigate of its class on Friday."
WHOLE = "\n".join([SENTENCE] * 30)


@pytest.mark.parametrize(
    ("node", "metas", "free"),
    [
        pytest.param({}, {}, True, id="nothing said"),
        pytest.param({"isAccessibleForFree": True}, {}, True, id="free"),
        pytest.param({"isAccessibleForFree": False}, {}, False, id="not free"),
        pytest.param({"isAccessibleForFree": "False"}, {}, False, id="as text"),
        pytest.param({"isAccessibleForFree": ["http://schema.org/False"]}, {}, False, id="as an address"),
        pytest.param({"hasPart": {"isAccessibleForFree": "no"}}, {}, False, id="a part"),
        pytest.param({"hasPart": [{"isAccessibleForFree": False}, "#wall"]}, {}, False, id="one of the parts"),
        pytest.param({}, {"article:content_tier": ["locked"]}, False, id="tier"),
        pytest.param({}, {"article:content_tier": ["metered"]}, True, id="free for some visits"),
        pytest.param({}, {"isaccessibleforfree": ["false"]}, False, id="meta"),
    ],
)
def test_a_page_says_whether_it_is_free(node: Node, metas: dict[str, list[str]], free: bool) -> None:
    assert is_free([node], metas) is free


@pytest.mark.parametrize(
    ("text", "free", "cut"),
    [
        pytest.param(WHOLE, True, False, id="whole and free"),
        pytest.param(WHOLE, False, False, id="whole though not free"),
        pytest.param(SENTENCE * 4, True, False, id="short"),
        pytest.param(SENTENCE * 4, False, True, id="short and not free"),
        pytest.param(f"{WHOLE}\nThe frigate is …", False, True, id="broken off"),
        pytest.param(f"{SENTENCE}\nSubscribe now to continue reading.", True, True, id="plea"),
        pytest.param(f"{SENTENCE}\nAlready a subscriber?\nLog in", True, True, id="plea before the last line"),
        pytest.param(f"{SENTENCE}\nRéservé aux abonnés", True, True, id="in French"),
        pytest.param(
            "x" * LONGEST_TEASER + "\nSubscribe to continue reading.", True, False, id="plea below a long text"
        ),
        pytest.param("", False, False, id="no text"),
    ],
)
def test_a_teaser_is_told_from_a_whole_article(text: str, free: bool, cut: bool) -> None:
    assert is_teaser(text, free) is cut
