"""HTML tree, title -> the text that a page carries in the data of its scripts: for pages that only scripts draw.

It is the body of an article in JSON-LD, in a script of JSON (as Next.js writes it), or in what a script assigns to a
variable (as `Fusion.globalContent`). A body counts only beside a title that is the page's: the data of a page hold
other articles too.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from itertools import chain, islice

from lxml.html import HtmlElement

from pipeline.stages.extract.body import line, of_markup

SHORTEST_SCRIPT = 500  # characters
MOST_VALUES = 50_000  # of the data of a page that are looked at
MOST_ASSIGNED = 10  # variables of a script
LONGEST_TITLE = 500  # characters
DEEPEST = 12  # levels of paragraphs in paragraphs

_ASSIGNED = re.compile(r"=\s*(?:(?=\{\s*\")|(JSON\.parse\(\s*)(?=\"))")
_TITLES = ("headline", "headlines", "title", "name")
_BODIES = ("articleBody", "body", "content", "content_elements", "bodyHtml", "body_html", "html", "text", "fullText")
_INWARD = ("basic", "rendered", "value", "text", "html", "content", "content_elements", "children", "blocks", "items")
_NO_TEXT = re.compile(
    r"image|video|audio|embed|gallery|related|promo|newsletter|caption|advert|iframe|raw", re.IGNORECASE
)
_KINDS = ("type", "__typename", "_type", "nodeType", "blockType")
_ENDED = re.compile(r"[.!?…。！？]\Z")
_WORD = re.compile(r"\w+")
_DECODER = json.JSONDecoder(strict=False)


def text_of(tree: HtmlElement, title: str) -> str:
    """The longest body of an article with the page's title; empty if there is none."""
    values = islice(_inside(_data(tree)), MOST_VALUES)
    bodies = (one[key] for one in values if _is_titled(one, title) for key in _BODIES if one.get(key))
    return max((_text(body) for body in bodies), key=len, default="")


def _data(tree: HtmlElement) -> Iterator[object]:
    for script in tree.iter("script"):
        source = script.text or ""
        if len(source) < SHORTEST_SCRIPT:
            continue
        if "json" in (script.get("type") or ""):
            yield _decoded(source.lstrip(), 0)
        else:
            yield from map(_assigned, islice(_ASSIGNED.finditer(source), MOST_ASSIGNED))


def _assigned(match: re.Match[str]) -> object:
    value = _decoded(match.string, match.end())
    return _decoded(value, 0) if match[1] and isinstance(value, str) else value


def _decoded(source: str, at: int) -> object:
    try:
        return _DECODER.raw_decode(source, at)[0]
    except (ValueError, RecursionError):
        return None


def _inside(roots: Iterator[object]) -> Iterator[Mapping[str, object]]:
    """All objects in some data, each root to its end before the next one is read."""
    for root in roots:
        pending = [root]
        while pending:
            value = pending.pop()
            if isinstance(value, dict):
                yield value
                pending.extend(value.values())
            elif isinstance(value, list):
                pending.extend(value)


def _is_titled(node: Mapping[str, object], title: str) -> bool:
    """Whether an object has the page's title: most of the words of either are in the other."""
    wanted = frozenset(_WORD.findall(title.casefold()))
    for key in _TITLES:
        value = node.get(key)
        if isinstance(value, Mapping):
            value = value.get("basic") or value.get("rendered")
        if isinstance(value, str) and len(value) <= LONGEST_TITLE:
            words = frozenset(_WORD.findall(unescape(value).casefold()))
            if 2 * len(words & wanted) > max(len(words), len(wanted)):
                return True
    return False


def _text(value: object) -> str:
    return "\n".join(filter(None, _paragraphs(value, DEEPEST)))


def _paragraphs(value: object, depth: int) -> Iterator[str]:
    """The paragraphs of a body: a text, a list of them, or objects that hold one, as editors of blocks store it."""
    if isinstance(value, str):
        yield of_markup(value)
    elif depth and isinstance(value, list):
        runs = [_run(one) for one in value]
        if all(runs):
            yield from map(line, _joined(filter(None, runs)).split("\n"))
        else:
            yield from chain.from_iterable(_paragraphs(one, depth - 1) for one in value)
    elif depth and isinstance(value, Mapping) and not any(_NO_TEXT.search(str(value.get(kind, ""))) for kind in _KINDS):
        held = next(
            (value[key] for key in _INWARD if isinstance(value.get(key), str | list | dict) and value[key]), None
        )
        yield from _paragraphs(held, depth - 1) if held is not None else ()


def _run(value: object) -> str | None:
    """A run of text, as rich text stores it; None for anything else."""
    if not isinstance(value, Mapping) or not {"text", "span"}.intersection(str(value.get(kind)) for kind in _KINDS):
        return None
    text = value.get("text") or value.get("value")
    return text if isinstance(text, str) else None


def _joined(runs: Iterable[str]) -> str:
    """Runs of text as one paragraph, broken where a sentence meets the next one without a space."""
    text = ""
    for run in runs:
        text += "\n" + run if _ENDED.search(text) and run[:1].isalnum() else run
    return text
