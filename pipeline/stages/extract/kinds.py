"""What a page says of itself -> what kind it is when it is no written article, and what is said in its video."""

import re
from collections.abc import Iterator, Mapping, Sequence

from pipeline.stages.extract import jsonld
from pipeline.stages.extract.jsonld import Node

GALLERY, VIDEO = "gallery", "video"
_GALLERY = re.compile(r"Gallery$")
_VIDEO = re.compile(r"^(?:VideoObject|Clip|TVEpisode|Movie)$")


def kind(nodes: Sequence[Node], metas: Mapping[str, Sequence[str]]) -> str | None:
    """What a page mainly shows if it has no text: pictures or a video; None where it does not say."""
    types = next(iter(metas.get("og:type", ())), "").lower()
    if "gallery" in types or any(jsonld.is_a(_GALLERY, node) for node in nodes):
        return GALLERY
    return VIDEO if types.startswith("video") or any(_videos(nodes)) else None


def transcript(nodes: Sequence[Node]) -> str | None:
    """What is said in the page's video, where it is written down."""
    return next((text for node in _videos(nodes) if isinstance(text := node.get("transcript"), str) and text), None)


def _videos(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        shown = node.get("video")
        listed = shown if isinstance(shown, list) else [node, shown]
        yield from (one for one in listed if isinstance(one, Mapping) and jsonld.is_a(_VIDEO, one))
