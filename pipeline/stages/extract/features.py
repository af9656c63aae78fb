"""Blocks -> numbers: what the forest looks at, a row for each feature and a column for each block.

Nothing here knows a language: characters are counted by their kind in Unicode, and a character of a script that is
written without spaces weighs as much as several letters. Prose is text in long or finished blocks that is not links;
how much of a page's prose is inside each ancestor of a block says more than the block itself.
"""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.extract import furniture
from pipeline.stages.extract.blocks import TAGS, Blocks
from pipeline.stages.extract.names import GROUPS

Array = NDArray[Any]
Columns = Mapping[str, Array]

OTHER, LOWER, UPPER, LETTER, DENSE, DIGIT, SPACE, COMMA, STOP, QUOTE, BAR, MARK = range(12)  # kinds of characters
KINDS = 12
_SHOWN = {
    COMMA: ",;、，；،؛",
    STOP: ".!?。！？।॥؟۔…",
    QUOTE: "\"'«»“”‘’「」『』„",
    BAR: "|•·›>/→»–—:：",
    MARK: "©@#$€£%&*+=_",
}
_CATEGORIES = {
    **{"Ll": LOWER, "Lu": UPPER, "Lt": UPPER, "Nd": DIGIT},
    **dict.fromkeys(("Lo", "Lm", "Mn", "Mc"), LETTER),
}
_DENSE_SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
DENSE_WEIGHT = 2.5  # letters that one character of a script without spaces is worth
LONG, FINISHED = 80, 30  # letters; a block of so many, or of so many and a full stop, is prose
LEVELS = 5  # ancestors whose text is looked at
HIGHEST = 12  # ancestors that are looked at for their names, and for the way to the best container
NEAR = (-3, -2, -1, 1, 2, 3)  # neighbours
WIDTHS = (4, 12)  # blocks before and after whose prose is summed up
CUT = 80  # characters of the beginning and the end of a block that are looked for in a claim
_CODES = {tag: code for code, tag in enumerate(TAGS)}
_TAGS = ("p", "li", "td", "blockquote", "pre", "figcaption", "div", "dt", "dd", "th", "section", "summary")


@dataclass(frozen=True, slots=True)
class Claims:
    """What the head of a page says of its text."""

    title: str = ""
    description: str = ""
    body: str = ""  # articleBody of JSON-LD, perhaps cut


@dataclass(frozen=True, slots=True)
class _Page:
    """The blocks as arrays, and sums over them: a sum from block a to b is `up_to[b] - up_to[a]`."""

    place: Array
    owner: Array
    parent: Array
    first: Array
    last: Array
    looks: Array
    tag: Array  # of the owner
    size: Array  # in letters
    linked: Array
    density: Array  # share of a block that is in links
    is_finished: Array
    prose: Array  # size of the blocks that are prose, else 0
    size_up_to: Array
    linked_up_to: Array
    prose_up_to: Array


def features(blocks: Blocks, claims: Claims) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """The names of the features, and their values: (features, blocks). There must be a block."""
    counts, firsts, lasts = _counted(blocks.texts)
    words = [furniture.words_of(text) for text in blocks.texts]
    page = _page(blocks, counts, lasts)
    columns = {
        **_of_text(blocks, page, counts),
        "first_kind": firsts,
        "last_kind": lasts,
        **_of_tags(page),
        **_of_ancestors(page),
        **_of_best(page),
        **_of_neighbours(page),
        **_of_surroundings(page),
        **_of_likes(page),
        **_of_place(page),
        **_of_claims(blocks.texts, words, claims, page),
        **{f"says_{group}": row for group, row in zip(furniture.GROUPS, furniture.said(words), strict=True)},
    }
    values = np.empty((len(columns) + len(GROUPS), len(blocks.texts)), np.float32)
    for row, column in enumerate(columns.values()):
        values[row] = column
    values[len(columns) :] = _named(blocks, page)
    return (*columns, *(f"named_{group}" for group in GROUPS)), values


@cache
def _kinds() -> NDArray[np.uint8]:
    """The kind of each character of the basic plane."""
    table = np.zeros(1 << 16, np.uint8)
    for code in range(1 << 16):
        character = chr(code)
        kind = SPACE if character.isspace() else _CATEGORIES.get(unicodedata.category(character), OTHER)
        is_dense = kind == LETTER and unicodedata.name(character, "").startswith(_DENSE_SCRIPTS)
        table[code] = DENSE if is_dense else kind
    for kind, shown in _SHOWN.items():
        table[[ord(character) for character in shown]] = kind
    return table


def _counted(texts: Sequence[str]) -> tuple[Array, Array, Array]:
    """How many characters of each kind are in each text: (kinds, texts); the kinds of its first and its last one."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds = _kinds()[np.minimum(codes, 0xFFFF)]
    lengths = np.array([len(text) for text in texts])
    rows = np.repeat(np.arange(len(texts)) * KINDS, lengths)
    counts = np.bincount(rows + kinds, minlength=len(texts) * KINDS).reshape(len(texts), KINDS).T
    ends = np.cumsum(lengths)
    return counts, kinds[ends - lengths], kinds[ends - 1]


def _page(blocks: Blocks, counts: Array, lasts: Array) -> _Page:
    chars = counts.sum(axis=0)
    size = chars + counts[DENSE] * (DENSE_WEIGHT - 1)
    linked = np.minimum(np.array(blocks.linked), chars)
    density, is_finished = linked / chars, lasts == STOP
    is_prose = (density < 0.5) & ((size >= LONG) | (is_finished & (size >= FINISHED)))
    prose = size * (1 - density) * is_prose
    owner = np.array(blocks.owner)
    return _Page(
        place=np.arange(len(size)),
        owner=owner,
        parent=np.array(blocks.parent),
        first=np.array(blocks.first),
        last=np.array(blocks.last),
        looks=np.array(blocks.looks),
        tag=np.array(blocks.tag)[owner],
        size=size,
        linked=linked,
        density=density,
        is_finished=is_finished,
        prose=prose,
        size_up_to=_up_to(size),
        linked_up_to=_up_to(linked),
        prose_up_to=_up_to(prose),
    )


def _up_to(values: Array) -> Array:
    return np.concatenate(((0.0,), np.cumsum(values)))


def _of_text(blocks: Blocks, page: _Page, counts: Array) -> Columns:
    """The characters of a block."""
    chars = counts.sum(axis=0)
    words = counts[SPACE] + 1 + counts[DENSE] / 2
    letters = counts[[LOWER, UPPER, LETTER, DENSE]].sum(axis=0)
    links = np.array(blocks.links)
    return {
        "size": np.log1p(page.size),
        "letters": letters / chars,
        "word_length": letters / words,
        "digits": counts[DIGIT] / chars,
        "capitals": counts[UPPER] / np.maximum(letters, 1),
        "commas": counts[COMMA] / words,
        "stops": counts[STOP],
        "quotes": counts[QUOTE],
        "bars": counts[BAR] / words,
        "marks": counts[MARK],
        "density": page.density,
        "links": links,
        "words_per_link": words / (1 + links),
        "strong": np.minimum(np.array(blocks.strong), chars) / chars,
    }


def _of_tags(page: _Page) -> Columns:
    """The element that a block is in."""
    return {"heading": _heading(page.tag), **{f"is_{tag}": page.tag == _CODES[tag] for tag in _TAGS}}


def _heading(tag: Array) -> Array:
    """1 to 6 for headings, else 0."""
    level = tag - _CODES["h1"] + 1
    return np.where((level >= 1) & (level <= 6), level, 0)


def _of_ancestors(page: _Page) -> Columns:
    """How much of the page's prose is in each ancestor, how linked and how long it is, and where in it the block is."""
    size, linked, prose = (
        up_to[page.last] - up_to[page.first] for up_to in (page.size_up_to, page.linked_up_to, page.prose_up_to)
    )
    blocks = page.last - page.first
    found: dict[str, Array] = {}
    at = page.owner
    for level in range(LEVELS):
        long = np.maximum(size[at], 1)
        found[f"share_{level}"] = prose[at] / max(page.prose_up_to[-1], 1)
        found[f"density_{level}"] = linked[at] / long
        found[f"prose_{level}"] = prose[at] / long
        found[f"blocks_{level}"] = np.log1p(blocks[at])
        found[f"place_{level}"] = (page.place - page.first[at]) / np.maximum(blocks[at], 1)
        at = page.parent[at]
    return found


def _of_best(page: _Page) -> Columns:
    """The way to the best container: that with the most prose in itself and its children."""
    own = np.bincount(page.owner, page.prose, len(page.parent))
    held = own + 0.999 * np.bincount(page.parent[1:], own[1:], len(own))
    best = int(np.argmax(held))
    low, high = page.first[best], page.last[best]
    before, after = np.maximum(low - page.place, 0), np.maximum(page.place - high + 1, 0)
    within = np.clip((page.place - low) / max(high - low, 1), 0, 1)
    steps = np.full(len(page.place), HIGHEST)
    at = page.owner
    for level in range(HIGHEST):
        covers = (page.first[at] <= low) & (page.last[at] >= high)
        steps = np.where(covers & (steps == HIGHEST), level, steps)
        at = page.parent[at]
    return {
        "best_place": within - np.log1p(before) + np.log1p(after),
        "best_share": np.full(len(steps), held[best] / max(page.prose_up_to[-1], 1)),
        "best_steps": steps,
        "best_parent": (page.parent[page.owner] == best) + 2 * (page.owner == best),
    }


def _of_neighbours(page: _Page) -> Columns:
    """What the blocks just before and just after are like."""
    shown = ("size", "density", "finished", "heading", "owner", "tag")
    shape = (np.log1p(page.size), page.density, page.is_finished, _heading(page.tag), page.owner, page.tag)
    most = max(NEAR)
    padded = np.pad(np.stack(shape), ((0, 0), (most, most)))
    found: dict[str, Array] = {}
    for offset in NEAR:
        moved = padded[:, most + offset : most + offset + len(page.place)]
        found |= {f"{name}{offset:+d}": values for name, values in zip(shown[:4], moved, strict=False)}
        found[f"sibling{offset:+d}"] = moved[4] == page.owner
        if abs(offset) == 1:
            found[f"tag{offset:+d}"] = moved[5]
    return found


def _of_surroundings(page: _Page) -> Columns:
    """How much prose and how many links are some blocks before and after."""
    count, place = len(page.place), page.place
    found: dict[str, Array] = {}
    for width in WIDTHS:
        low, high = np.maximum(place - width, 0), np.minimum(place + width + 1, count)
        long = np.maximum(page.size_up_to[high] - page.size_up_to[low], 1)
        found[f"linked_around_{width}"] = (page.linked_up_to[high] - page.linked_up_to[low]) / long
        found[f"prose_before_{width}"] = np.log1p(page.prose_up_to[place] - page.prose_up_to[low])
        found[f"prose_after_{width}"] = np.log1p(page.prose_up_to[high] - page.prose_up_to[place + 1])
    return found


def _of_likes(page: _Page) -> Columns:
    """The blocks whose element, or whose element's parent, looks the same: how many, how much prose, how linked."""
    found: dict[str, Array] = {}
    for name, key in (("like", page.looks[page.owner]), ("cousin", page.looks[page.parent[page.owner]])):
        count = np.bincount(key)
        found[f"{name}_count"] = np.log1p(count)[key]
        found[f"{name}_share"] = (np.bincount(key, page.prose) / max(page.prose_up_to[-1], 1))[key]
        found[f"{name}_density"] = (np.bincount(key, page.linked) / np.maximum(np.bincount(key, page.size), 1))[key]
        found[f"{name}_places"] = np.log1p(np.bincount(page.looks))[key]
    return found


def _of_place(page: _Page) -> Columns:
    """Where on the page a block is, how far prose is, and what kind of page it is."""
    count, is_prose = len(page.place), page.prose > 0
    before = np.maximum.accumulate(np.where(is_prose, page.place, -50))
    after = np.minimum.accumulate(np.where(is_prose, page.place, count + 50)[::-1])[::-1]
    every, prose = max(page.size_up_to[-1], 1), page.prose_up_to[-1]
    return {
        "place": page.place / count,
        "size_before": page.size_up_to[:-1] / every,
        "prose_before": page.prose_up_to[:-1] / max(prose, 1),
        "from_prose": np.log1p(page.place - before),
        "to_prose": np.log1p(after - page.place),
        "page_blocks": np.full(count, np.log1p(count)),
        "page_prose": np.full(count, np.log1p(prose)),
        "page_prose_share": np.full(count, prose / every),
    }


def _of_claims(texts: Sequence[str], words: Sequence[Set[str]], claims: Claims, page: _Page) -> Columns:
    """What the head of the page says of a block, how far from the title it is, and whether it occurs once more."""
    times = Counter(texts)
    title = furniture.words_of(claims.title)
    alike = np.array([furniture.alike(own, title) for own in words])
    titles = np.flatnonzero(alike > 0.75)
    headings = titles[_heading(page.tag)[titles] > 0]
    tops = next((some for some in (headings, titles, np.flatnonzero(page.tag == _CODES["h1"])) if len(some)), None)
    distance = page.place - tops[-1] if tops is not None else np.full(len(texts), len(texts))
    return {
        "times": np.array([times[text] for text in texts]),
        "title": alike,
        "from_title": np.sign(distance) * np.log1p(np.abs(distance)),
        "has_title": np.full(len(texts), tops is not None),
        "described": _within(texts, claims.description),
        "told": _within(texts, claims.body) - (not claims.body),
    }


def _within(texts: Sequence[str], claim: str) -> Array:
    """Whether the beginning or the end of each text is in a claim."""
    found, whole = np.zeros(len(texts)), _letters(claim)
    for at, text in enumerate(texts if whole else ()):
        first = _letters(text[:CUT])
        found[at] = len(first) > 3 and (first in whole or (len(text) > CUT and _letters(text[-CUT:]) in whole))
    return found


def _letters(text: str) -> str:
    return "".join(text.casefold().split())


def _named(blocks: Blocks, page: _Page) -> Array:
    """How near the element is whose names say each group, 4 for the own one down to 0: (groups, blocks)."""
    groups = np.array(blocks.groups, np.uint64)
    rings = [groups[page.owner] | np.array(blocks.inline, np.uint64)]
    at = page.owner
    for level in range(1, HIGHEST):
        at = page.parent[at]
        if level in (1, 2, 4):
            rings.append(groups[at])
        else:
            rings[-1] = rings[-1] | groups[at]
    nearest = np.zeros((len(page.place), 64), np.uint8)
    for weight, ring in zip((4, 3, 2, 1), rings, strict=True):
        bits = np.unpackbits(ring.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
        nearest = np.maximum(nearest, weight * bits)
    return nearest[:, : len(GROUPS)].T
