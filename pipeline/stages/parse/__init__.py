"""bytes -> ParsedFeed: what a publisher wrote, in whatever format; a new format is one file here and one line below."""

from pipeline.errors import ParseError
from pipeline.model import ParsedFeed
from pipeline.stages import charset
from pipeline.stages.parse import json, xml

# The first character of a document tells its format; whatever else comes first may be junk before XML.
_FORMATS = {
    "{": json.parse,
    "<": xml.parse,
}


def parse(body: bytes, url: str, content_type: str | None = None) -> ParsedFeed:
    """Read a feed, keeping all that can be read of a broken one.

    Returns:
        Entries in the feed's own order, each with an id of its own, and with a link or a text.

    Raises:
        ParseError: it is no feed (`empty`, `html`, `not-a-feed`), or one that cannot be read (`malformed-xml`,
            `bad-json`, `entity-bomb`).
    """
    text = charset.decode(body, (charset.of_header(content_type), charset.of_xml(body))).strip("\ufeff \t\r\n")
    if not text:
        raise ParseError(url, "empty")
    return _FORMATS.get(text[0], xml.parse)(text, url)
