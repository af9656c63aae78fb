"""Kept blocks -> fewer: what is only at the edges of an article goes, its text stays."""

import pytest

from pipeline.stages.extract.blocks import blocks_of
from pipeline.stages.extract.edges import trimmed
from pipeline.stages.markup import parse

TITLE = "Second frigate delivered to the navy"
HEADLINE = f"<h1>{TITLE}</h1>"
TEXT = "<p>The navy took delivery of its second frigate.</p><p>A third one follows.</p>"


@pytest.mark.parametrize(
    "markup",
    [
        pytest.param(TEXT, id="nothing at the edges"),
        pytest.param(f"<div>Home > Navy</div>{HEADLINE}{TEXT}", id="above the headline"),
        pytest.param(f"<p>Published 9 July 2025, 21:42 UTC</p>{TEXT}", id="date"),
        pytest.param(f"{HEADLINE}<p>Aktualisiert: 9.7.2025</p>{TEXT}", id="date below the headline"),
        pytest.param(f"{TEXT}<h3>More on this</h3><h4>Navy</h4>", id="headings without text"),
        pytest.param(f"{TEXT}<p>All rights reserved.</p>", id="notice"),
        pytest.param(f"{TEXT}{'<h3>More</h3>' * 40_000}", id="very many headings without text"),
    ],
)
def test_what_is_only_at_the_edges_goes(markup: str) -> None:
    blocks = blocks_of(parse(f"<html><body>{markup}</body></html>", ""))
    kept = trimmed(blocks, list(range(len(blocks.texts))), TITLE)
    assert [blocks.texts[at] for at in kept] == [
        "The navy took delivery of its second frigate.",
        "A third one follows.",
    ]


@pytest.mark.parametrize(
    "markup",
    [
        pytest.param(f"<p>It was finished on time.</p>{HEADLINE}<p>So it was.</p>", id="a sentence above the headline"),
        pytest.param(f"<p>{'long ' * 40}</p>{HEADLINE}<p>So it was.</p>", id="much text above the headline"),
        pytest.param("<p>Published in 2019, the study was ignored.</p>", id="a sentence with a date"),
        pytest.param("<p>Published by the ministry</p><p>So it was.</p>", id="no digits"),
        pytest.param("<p>The rights of soldiers.</p>", id="one word of rights"),
        pytest.param("<h2>Why</h2><p>So it was.</p>", id="a heading before text"),
    ],
)
def test_text_at_the_edges_stays(markup: str) -> None:
    blocks = blocks_of(parse(f"<html><body>{markup}</body></html>", ""))
    every = list(range(len(blocks.texts)))
    assert trimmed(blocks, every, TITLE) == every


def test_nothing_is_left_of_nothing() -> None:
    assert trimmed(blocks_of(parse("<html><body><img></body></html>", "")), [], "") == []
