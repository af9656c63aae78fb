"""What a dry run counts."""

from contextlib import closing
from dataclasses import replace

from pipeline.entrypoints.counted import Counted
from tests import make


def test_each_url_counts_once_for_the_archive_that_named_it_first() -> None:
    one, two, three = (make.entry(number) for number in (1, 2, 3))
    with closing(Counted()) as counted:
        assert counted.add("sitemap", [one, two, replace(one, url=f"{one.url}?utm_source=x")]) == 2
        assert counted.add("wayback", [two, three]) == 1
        assert counted.add("wayback", []) == 0
        assert (counted.hosts("sitemap"), counted.hosts("wayback"), counted.hosts("gdelt")) == ([1, 1], [1], [])


def test_for_what_an_archive_holds_no_host_is_asked() -> None:
    with closing(Counted()) as counted:
        assert counted.add("jsonl", [replace(make.entry(), held=make.article())]) == 1
        assert counted.hosts("jsonl") == []
