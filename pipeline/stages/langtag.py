"""Language tags as publishers write them -> BCP 47 in its usual spelling: the one reader of them."""

import re

_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?(?:[-_][A-Za-z0-9-_]*)?")


def usual(tag: str | None) -> str | None:
    """A tag of language, script and region, the rest left out: `en-us` gives `en-US`; None when it is none."""
    parts = _TAG.fullmatch((tag or "").strip())
    if parts is None:
        return None
    cased = (parts[1].lower(), parts[2] and parts[2].title(), parts[3] and parts[3].upper())
    return "-".join(filter(None, cased))
