"""Which entries a feed's patterns want."""

from dataclasses import replace

import pytest

from pipeline.model import Entry, Feed
from pipeline.stages import choose

FEED = Feed(id=1, url="https://example.com/feed.xml", title="Example")


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        pytest.param((), (), True, id="no patterns"),
        pytest.param(("tank",), (), True, id="title, any case"),
        pytest.param(("/army/",), (), True, id="URL"),
        pytest.param(("navy", "^tanks"), (), True, id="one of several"),
        pytest.param(("navy",), (), False, id="none"),
        pytest.param((), ("/army/",), False, id="excluded"),
        pytest.param(("tank",), ("/army/",), False, id="excluded although included"),
    ],
)
def test_patterns_say_which_entries_are_wanted(
    include: tuple[str, ...], exclude: tuple[str, ...], expected: bool
) -> None:
    entry = Entry("1", "https://example.com/army/1", "Tanks roll")
    assert choose.wanted(replace(FEED, include=include, exclude=exclude), entry) is expected


def test_an_entry_without_title_and_link_matches_no_pattern() -> None:
    assert not choose.wanted(replace(FEED, include=(".*",)), Entry("1", None))
