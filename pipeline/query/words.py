"""Words as the search sees them: the same split for queries and for both databases' indexes.

Scripts that are written without spaces between words (Chinese, Japanese, Thai ...), or with endings joined to them
(Korean), are indexed by overlapping pairs of characters: 発射 is found within 弾道ミサイル発射, 훈련 within
연합훈련을, F-35A within F-35A를.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e"  # Thai
    "\u0e81-\u0ecd\u0edc-\u0edf"  # Lao
    "\u1000-\u103f\u1050-\u108f"  # Burmese
    "\u1780-\u17d3"  # Khmer
    "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7fb"  # Korean
    "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3005-\u3007\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
)
_PRIVATE = "\ue000-\uf8ff"  # a letter for FTS5, but none of ours: see `facets`
_RUN = re.compile(f"[{_UNSPACED}]+")
WORD = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_SPACED = re.compile(r"[^\W_]+")  # a word, where no run is
_MARK = re.compile(r"[\W_]+")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_LOOSE = re.compile("[\u0300-\u036f]+")  # marks of Latin letters that no composed letter has: `fold` drops them
_OURS = re.compile(f"[{_UNSPACED}]+|[{_PRIVATE}]+")


def split_words(value: str) -> list[str]:
    """The words of a text: lower case, without Latin marks, letters and digits only ("B-52H" is b, 52h).

    A run of a script without spaces is one word, without vowel signs and tone marks.
    """
    folded = fold(value)
    if _has_no_run(folded):
        return _SPACED.findall(folded)
    return [word for run in WORD.findall(folded) if (word := _MARK.sub("", run))]


def tokens(value: str) -> list[str]:
    """The words of a text as they are indexed."""
    words = split_words(value)
    return words if _has_no_run(value) else list(indexed(words))


def fold(value: str) -> str:
    """Lower case, Latin letters without marks; other scripts keep theirs (in them a marked letter is another letter).

    Source:
        What FTS5's `unicode61 remove_diacritics 2` does to the texts it indexes: to fold more would find less.
    """
    if value.isascii():
        return value.lower()
    return _BEYOND_ASCII.sub(_plain, unicodedata.normalize("NFC", value)).lower()


def _plain(char: re.Match[str]) -> str:
    base = unicodedata.normalize("NFD", char[0])[0]
    if base.isascii():
        return base
    return "" if "\u0300" <= base <= "\u036f" else char[0]


def _has_no_run(text: str) -> bool:
    """Most texts have none, and take a fifth of the time."""
    return text.isascii() or _RUN.search(text) is None


def is_unspaced(word: str) -> bool:
    """Whether a word is of a script that is indexed by pairs."""
    return _RUN.match(word) is not None


def indexed(words: Iterable[str]) -> Iterator[str]:
    """The words as they are indexed; a run of n characters is n - 1 pairs and its last character."""
    for word in words:
        if len(word) > 1 and is_unspaced(word):
            yield from _pairs(word)
            yield word[-1]
        else:
            yield word


def sought(words: Sequence[str], *, is_prefix: bool) -> tuple[list[str], bool]:
    """What stands in an index where these words stand next to each other, and whether the last is only a beginning.

    The last run may go on in the text: it is sought by its pairs, a single character by the pairs that begin with it.
    """
    *before, last = words
    if not is_unspaced(last):
        return [*indexed(before), last], is_prefix
    return [*indexed(before), *(_pairs(last) if len(last) > 1 else last)], len(last) == 1


def paired(text: str) -> str:
    """The text as FTS5 is to see it: with pairs in place of runs, and without the characters that are no text's."""
    if text.isascii():
        return text
    return _OURS.sub(_spread, _LOOSE.sub("", unicodedata.normalize("NFC", text)))


def _spread(run: re.Match[str]) -> str:
    word = _MARK.sub("", run[0])
    return f" {' '.join(indexed((word,)))} " if word else " "


def _pairs(word: str) -> Iterator[str]:
    return map("".join, pairwise(word))
