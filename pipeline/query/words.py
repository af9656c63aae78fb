"""Words as the search sees them: the same split for queries and for both databases' indexes."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")


def split_words(value: str) -> list[str]:
    """The words of a text: lower case, without Latin marks, letters and digits only ("B-52H" is b, 52h)."""
    return _WORD.findall(fold(value))


def fold(value: str) -> str:
    """Lower case, Latin letters without marks; other scripts keep theirs (in them a marked letter is another letter).

    Source:
        What FTS5's `unicode61 remove_diacritics 2` does to the texts it indexes: to fold more would find less.
    """
    if value.isascii():
        return value.lower()
    return "".join(map(_plain, unicodedata.normalize("NFC", value))).lower()


def _plain(char: str) -> str:
    base = unicodedata.normalize("NFD", char)[0]
    if base.isascii():
        return base
    return "" if "\u0300" <= base <= "\u036f" else char
