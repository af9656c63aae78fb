"""HTML tree -> blocks: the runs of text between the edges of paragraphs, and the containers that they are in.

One walk over the tree writes down what the features need; everything is columns, not objects.
"""

from dataclasses import dataclass, field

from lxml.html import HtmlElement

from pipeline.stages.extract.names import HIDDEN, OF_TAG, groups_of

# Elements that begin and end a block; the others are inline. The last three swallow the rest of a page when they are
# never closed, so what is in them is read.
_NAMES = """
    p li h1 h2 h3 h4 h5 h6 blockquote pre figcaption td th tr dd dt div section article main header footer nav
    aside figure form table tbody thead tfoot caption ul ol dl address details summary fieldset legend center hr
    menu body dialog hgroup search button iframe object
"""
TAGS = ("", *_NAMES.split())  # the first one is the root
_CODES = {tag: code for code, tag in enumerate(TAGS)}
CELLS = frozenset({_CODES["td"], _CODES["th"]})
_SILENT = frozenset(
    {
        "head",
        "noscript",
        "option",
        "script",
        "select",
        "style",
        "svg",
        "math",
        "template",
        "textarea",
        "title",
        "canvas",
    }
)
_NAMING = frozenset({"class", "id", "role", "itemprop"})
_OF_CODE = tuple(OF_TAG.get(tag, 0) for tag in TAGS)


@dataclass(slots=True)
class Blocks:
    """What a page is made of, in columns; a block is a place in the first ones, a container in the later ones."""

    texts: list[str] = field(default_factory=list)  # folded to one line
    linked: list[int] = field(default_factory=list)  # characters in links
    links: list[int] = field(default_factory=list)
    strong: list[int] = field(default_factory=list)  # characters in bold
    inline: list[int] = field(default_factory=list)  # groups of the inline elements around the first characters
    owner: list[int] = field(default_factory=list)  # the container that it is directly in

    parent: list[int] = field(default_factory=lambda: [0])  # the first container is the root, its own parent
    tag: list[int] = field(default_factory=lambda: [0])  # place in TAGS
    groups: list[int] = field(default_factory=lambda: [0])
    looks: list[int] = field(default_factory=lambda: [0])  # equal for elements with the same tag and class in the same
    first: list[int] = field(default_factory=lambda: [0])  # block
    last: list[int] = field(default_factory=lambda: [0])  # block, excluded


def blocks_of(tree: HtmlElement) -> Blocks:
    """Cut a page into blocks, in the order of the text."""
    walk = _Walk()
    walk.inside(tree, 0, 0, 0)
    walk.end()
    walk.found.last[0] = len(walk.found.texts)
    return walk.found


LINKED, STRONG = 1, 2
_STYLES = {"a": LINKED, "b": STRONG, "strong": STRONG}


class _Walk:
    """The block that is being gathered, and those that are done."""

    def __init__(self) -> None:
        self.found = Blocks()
        self.run: list[str] = []
        self.owner = self.inline = self.linked = self.links = self.strong = 0
        self.kinds: dict[tuple[int, int, str | None], int] = {}

    def inside(self, element: HtmlElement, at: int, inline: int, style: int) -> None:
        """Read what is in an element and its descendants; the depth of the tree was limited when it was parsed."""
        text = element.text
        if text and (self.run or not text.isspace()):
            self.add(text, at, inline, style)
        for child in element:
            tag = child.tag
            code = _CODES.get(tag)
            if code is not None:
                self.container(child, code, at, style)
            elif tag == "br":
                self.end()
            elif tag not in _SILENT:
                named = child.get("class")
                groups = OF_TAG.get(tag, 0) | (groups_of(named) if named else 0)
                self.links += tag == "a"
                self.inside(child, at, inline | groups, style | _STYLES.get(tag, 0))
            text = child.tail
            if text and (self.run or not text.isspace()):
                self.add(text, at, inline, style)

    def container(self, element: HtmlElement, code: int, at: int, style: int) -> None:
        if self.run or self.links:
            self.end()
        found = self.found
        groups, named = _OF_CODE[code], None
        for name, value in element.items():
            if name in _NAMING:
                groups |= groups_of(value)
                named = value if name == "class" else named
            elif name == "hidden" or (name == "style" and "none" in value and "display" in value):
                groups |= HIDDEN
        place = len(found.parent)
        kind = (found.looks[at], code, named)
        found.parent.append(at)
        found.tag.append(code)
        found.groups.append(groups)
        found.looks.append(self.kinds.setdefault(kind, len(self.kinds) + 1))
        found.first.append(len(found.texts))
        found.last.append(0)
        self.inside(element, place, 0, style)
        if self.run or self.links:
            self.end()
        found.last[place] = len(found.texts)

    def add(self, text: str, at: int, inline: int, style: int) -> None:
        """Add to the block; no block begins with white space."""
        if not self.run:
            self.owner, self.inline = at, inline
        self.run.append(text)
        if style:
            length = len(text.strip())
            if style & LINKED:
                self.linked += length
            if style & STRONG:
                self.strong += length

    def end(self) -> None:
        if self.run:
            found = self.found
            found.texts.append(" ".join("".join(self.run).split()))
            found.linked.append(self.linked)
            found.links.append(self.links)
            found.strong.append(self.strong)
            found.inline.append(self.inline)
            found.owner.append(self.owner)
            self.run.clear()
        self.linked = self.links = self.strong = 0
