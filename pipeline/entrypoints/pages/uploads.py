"""Forms with files in them, as browsers send them.

Source:
    RFC 7578.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from urllib.parse import parse_qsl

from starlette.requests import Request

MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Sent:
    """What was filled in."""

    fields: Sequence[tuple[str, str]]
    files: Sequence[tuple[str, bytes]]  # by the names that they have where they came from

    def first(self, name: str) -> str:
        """The value of a field; "": it was left empty."""
        return next((value.strip() for known, value in self.fields if known == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """The values of a field that may have several."""
        return tuple(value for known, value in self.fields if known == name and value)


async def sent(request: Request) -> Sent:
    """What a form sent; a file that nobody chose is left out."""
    kind, body = request.headers.get("content-type", ""), await request.body()
    if not kind.lower().startswith(MULTIPART):
        return Sent(parse_qsl(body.decode(errors="replace")), ())
    head = f"Content-Type: {kind}\r\n\r\n".encode("latin-1")
    fields, files = [], []
    for part in BytesParser(policy=policy.HTTP).parsebytes(head + body).iter_parts():
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        if (name := part.get_filename()) is None:
            fields.append((str(part.get_param("name", "", "content-disposition")), content.decode(errors="replace")))
        elif name:
            files.append((name, content))
    return Sent(fields, files)
