"""Words as the search sees them: the same split for queries and for both databases' indexes."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")


def split_words(value: str) -> list[str]:
    """The words of a text: lower case, without marks, letters and digits only ("B-52H" is b, 52h)."""
    return _WORD.findall(fold(value))


def fold(value: str) -> str:
    """Lower case without marks; Hangul stays composed."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", value) if not unicodedata.combining(c))
    return unicodedata.normalize("NFKC", plain).lower()
