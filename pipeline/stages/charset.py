"""Bytes -> str: text in whatever charset its bytes really are, whatever was claimed."""

import codecs
import re
from collections.abc import Iterable

import charset_normalizer

GUESSED_BYTES = 1 << 16  # enough for a guess; the guesser is slow
_MOSTLY = 10  # right characters for each wrong one, among those that are not ASCII

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, which begins alike
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# Source: the WHATWG Encoding Standard section 4.2: what a label means on the web, often more than what it says.
_LABELS = {
    "utf-8": "utf8 unicode11utf8 unicode20utf8",
    "cp1252": "iso88591 latin1 l1 ascii usascii ansix341968 cp819 ibm819 cp1252 windows1252 csisolatin1",
    "iso8859-2": "iso88592 latin2 l2 csisolatin2",
    "iso8859-3": "iso88593 latin3 l3",
    "iso8859-4": "iso88594 latin4 l4",
    "iso8859-5": "iso88595 cyrillic csisolatincyrillic",
    "iso8859-6": "iso88596 arabic csisolatinarabic asmo708 ecma114",
    "iso8859-7": "iso88597 greek greek8 csisolatingreek ecma118",
    "iso8859-8": "iso88598 iso88598e iso88598i hebrew visual logical csisolatinhebrew",
    "iso8859-10": "iso885910 latin6 l6",
    "iso8859-13": "iso885913",
    "iso8859-14": "iso885914",
    "iso8859-15": "iso885915 latin9 l9 csisolatin9",
    "iso8859-16": "iso885916",
    "koi8-r": "koi8r koi8 koi csk0i8r",
    "koi8-u": "koi8u koi8ru",
    "cp866": "cp866 866 ibm866 csibm866",
    "cp874": "windows874 dos874 tis620 iso885911",
    "cp1250": "windows1250 cp1250",
    "cp1251": "windows1251 cp1251",
    "cp1253": "windows1253 cp1253",
    "cp1254": "windows1254 cp1254 iso88599 latin5 l5 csisolatin5",
    "cp1255": "windows1255 cp1255",
    "cp1256": "windows1256 cp1256",
    "cp1257": "windows1257 cp1257",
    "cp1258": "windows1258 cp1258",
    "mac-roman": "macintosh macroman mac csmacintosh",
    "mac-cyrillic": "maccyrillic macukrainian",
    "gb18030": "gb18030 gbk gb2312 gb231280 chinese csgb2312 isoir58",
    "big5hkscs": "big5 big5hkscs cnbig5 csbig5",
    "euc-jp": "eucjp cseucpkdfmtjapanese",
    "iso2022-jp": "iso2022jp csiso2022jp",
    "cp932": "shiftjis sjis mskanji windows31j ms932 csshiftjis",
    "cp949": "euckr cp949 windows949 ksc5601 ksc56011987 ksc56011989 korean cseuckr csksc56011987",
    "utf-16-le": "utf16 utf16le unicode ucs2 iso10646ucs2",
    "utf-16-be": "utf16be",
}
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}
_ESCAPING = "iso2022-jp"  # reads as ASCII to everyone else
_XML_DECLARATION = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]+)")
_PARAMETER = re.compile(r";\s*charset\s*=\s*[\"']?([^\"';\s]+)", re.IGNORECASE)
# UTF-8 bytes as characters; for sure where one is a control character, which no text holds.
_TWICE = re.compile("[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")  # as it is encoded: quickly found, and there in all of the next
_TWICE_FOR_SURE = re.compile("[\xc2-\xdf][\x80-\x9f]|[\xe0-\xef](?:[\x80-\x9f][\x80-\xbf]|[\x80-\xbf][\x80-\x9f])")


def of_header(content_type: str | None) -> str | None:
    """The charset that a Content-Type header names."""
    named = _PARAMETER.search(content_type or "")
    return named[1] if named else None


def of_xml(body: bytes) -> str | None:
    """The charset that an XML declaration names."""
    named = _XML_DECLARATION.match(body)
    return named[1].decode("ascii") if named else None


def is_binary(body: bytes) -> bool:
    """Whether a body holds NUL where no text in any charset of the web does."""
    head = body[:1024]
    return b"\0" in head and not head.startswith(tuple(mark for mark, _ in _BOMS)) and _wide(head) is None


def decode(body: bytes, labels: Iterable[str | None] = ()) -> str:
    """The text of a body whose makers claimed these charsets, the best claim first.

    A byte-order mark decides. Else bytes that are UTF-8, or nearly, are UTF-8 whatever was claimed: hardly any other
    text reads as such by chance. Then the claims, then a guess, then windows-1252. UTF-8 that was taken for Latin-1
    and encoded again is read once more. Never raises.

    Returns:
        Text without NUL and without lone surrogates; what cannot be read is U+FFFD.
    """
    text = _decoded(body, [codec for codec in map(_codec, labels) if codec]).replace("\0", "")
    return _TWICE.sub(_once, text) if _has_control(text) and _TWICE_FOR_SURE.search(text) else text


def is_plainly_utf8(body: bytes) -> bool:
    """Whether `decode` would read a body as UTF-8, and change nothing, whatever is claimed."""
    if b"\0" in body or b"\x1b" in body or body.startswith(codecs.BOM_UTF8):
        return False
    try:
        return body.isascii() or (bool(body.decode()) and _CONTROL.search(body) is None)
    except UnicodeDecodeError:
        return False


def _decoded(body: bytes, claimed: list[str]) -> str:
    for mark, codec in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(codec, "replace")
    wide = _wide(body)
    if wide:
        return body.decode(wide, "replace")
    first = [_ESCAPING] if _ESCAPING in claimed and b"\x1b" in body else []
    for codec in (*first, "utf-8", *claimed):
        text = _read(body, codec)
        if text is not None:
            return text
    guess = charset_normalizer.from_bytes(body[:GUESSED_BYTES], cp_isolation=list(_LABELS)).best()
    return body.decode(guess.encoding if guess else "cp1252", "replace")


def _has_control(text: str) -> bool:
    return not text.isascii() and _CONTROL.search(text.encode("utf-8", "replace")) is not None


def _once(match: re.Match[str]) -> str:
    return match[0].encode("latin-1").decode("utf-8", "replace")


def _codec(label: str | None) -> str | None:
    key = re.sub(r"[^a-z0-9]", "", (label or "").lower())
    return _CODECS.get(key) or _CODECS.get(key.removeprefix("x"))


def _wide(body: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of mostly Latin text is zero."""
    low, high = body[0:256:2], body[1:256:2]
    if high.count(0) > len(high) // 2 and low.count(0) == 0:
        return "utf-16-le"
    if low.count(0) > len(low) // 2 and high.count(0) == 0:
        return "utf-16-be"
    return None


def _read(body: bytes, codec: str) -> str | None:
    """The text, when the codec reads all of it or nearly all."""
    try:
        return body.decode(codec)
    except UnicodeDecodeError:
        text = body.decode(codec, "replace")
    wrong = text.count("\ufffd")
    foreign = len(text) - len(re.sub(r"[^\x00-\x7f]+", "", text))
    return text if foreign - wrong >= _MOSTLY * wrong else None
