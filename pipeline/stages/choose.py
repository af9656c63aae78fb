"""Entry -> whether its feed wants it: the user's `include` and `exclude` patterns."""

import re

from pipeline.model import Entry, Feed


def wanted(feed: Feed, entry: Entry) -> bool:
    """Whether title or URL match one of the feed's `include` patterns, if it has any, and none of its `exclude`."""
    subjects = [text for text in (entry.title, entry.url) if text]
    return (not feed.include or _matches(feed.include, subjects)) and not _matches(feed.exclude, subjects)


def _matches(patterns: tuple[str, ...], subjects: list[str]) -> bool:
    return any(re.search(pattern, subject, re.IGNORECASE) for pattern in patterns for subject in subjects)
