"""What a page says of its price, its text -> whether that is a teaser: only the beginning, for those who do not pay."""

import re
from collections.abc import Mapping, Sequence

from pipeline.stages.extract.jsonld import Node, text

LONGEST_TEASER = 1_500  # characters; of what one has to pay for, pages show no more to others
_LOCKED = frozenset({"locked", "paid", "premium", "subscription"})
_NO = frozenset({"false", "no", "0"})
_PLEA = re.compile(
    r"\b(?:subscribe|sign in|log in|register)\b.{0,40}\b(?:to (?:continue|keep|read|access|unlock)|for full access)"
    r"|\bto (?:continue|keep) reading\b|\bcontinue reading (?:with|this)\b|\balready (?:a subscriber|subscribed)\b"
    r"|\bthis (?:article|story|content) is (?:for|only for|available to|reserved for) (?:\w+ )?(?:subscribers|members)"
    r"|\babonnez-vous pour\b|\bréservé aux abonnés\b|\bweiterlesen mit\b|\bjetzt (?:abonnieren|weiterlesen)\b"
    r"|\bsuscr[ií]bete para\b|\bpara suscriptores\b|\bassine para\b|\babbonati per\b|\bkup dostęp\b|\babonneer\b"
    r"|\bдля подписчиков\b|\bprenumerera för\b|有料会員|続きを読むには|구독자 전용",
    re.IGNORECASE,
)
_CUT = re.compile(r"(?:…|\.\.\.|\[…\]|\[\.\.\.\])\W*$")


def is_free(nodes: Sequence[Node], metas: Mapping[str, Sequence[str]]) -> bool:
    """Whether a page's text is for everybody, as far as it says: a part for which one pays makes it not so."""
    tier = next(iter(metas.get("article:content_tier", ())), "").lower()
    stated = [node.get("isAccessibleForFree") for node in nodes]
    for node in nodes:
        parts = node.get("hasPart")
        listed = parts if isinstance(parts, list) else [parts]
        stated += [part.get("isAccessibleForFree") for part in listed if isinstance(part, Mapping)]
    stated += metas.get("isaccessibleforfree", ())
    return tier not in _LOCKED and not any(map(_is_no, stated))


def is_teaser(found: str, is_free: bool) -> bool:
    """Whether a text is only the beginning of an article.

    It is when it ends in a plea to subscribe; of what is not free, also when it is short or breaks off.
    """
    if not found or (len(found) > LONGEST_TEASER and is_free):
        return False
    last = " ".join(found.rsplit("\n", 2)[-2:])
    return bool(_PLEA.search(last)) or (not is_free and (len(found) <= LONGEST_TEASER or bool(_CUT.search(found))))


def _is_no(value: object) -> bool:
    return value is False or (text(value) or "").lower().rpartition("/")[2] in _NO
