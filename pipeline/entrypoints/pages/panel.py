"""The panel beside the words of a search: it shows the fields that stand in them, and writes what is chosen there."""

from collections.abc import Callable, Collection, Mapping

from pipeline.query import moments, rewrite

WAS = "was"  # the words as they were when the panel was shown
PREFIX = "panel-"  # of the names of its inputs
CHOSEN = ("label", "topic", "country", "feed")  # among options
TYPED = ("entity", "lang")
SINCE, UNTIL = "since", "until"
MORE = "*"  # what the words say of a field is no single option
_NORMAL: Mapping[str, Callable[[str], str]] = {"country": str.upper, "feed": str, "entity": str}

Options = Mapping[str, Collection[str]]  # of each name in `CHOSEN`


def shown(words: str, options: Options) -> dict[str, str]:
    """What the panel shows for these words, by the names of its inputs."""
    found = {name: _single(words, name) for name in (*CHOSEN, *TYPED)}
    for name in CHOSEN:
        if found[name] and found[name] not in options[name]:
            found[name] = MORE
    found |= {name: "" for name in TYPED if found[name] == MORE}
    since, until = _range(_single(words, "published"))
    return {**found, SINCE: since, UNTIL: until}


def written(given: Mapping[str, str], options: Options) -> str:
    """The words of a form, into which what was changed in the panel is written."""
    words = given.get("q", "")
    was = shown(given.get(WAS, ""), options)
    now = {name: given.get(PREFIX + name, value).strip() for name, value in was.items()}
    for name in (*CHOSEN, *TYPED):
        if now[name] != was[name]:
            words = rewrite.with_value(words, name, now[name])
    if (now[SINCE], now[UNTIL]) != (was[SINCE], was[UNTIL]):
        words = rewrite.with_value(words, "published", published(now[SINCE], now[UNTIL]))
    return words


def published(since: str, until: str) -> str:
    """Both ends of a range as one value of a field; either may be blank."""
    if since and not until and moments.is_age(since):
        return since
    return f"{since}..{until}" if since or until else ""


def _single(words: str, name: str) -> str:
    """The one value of a field; none, or `MORE` of them."""
    found = {_NORMAL.get(name, str.lower)(value) for value in rewrite.values(words, name)}
    return found.pop() if len(found) == 1 else MORE if found else ""


def _range(value: str) -> tuple[str, str]:
    since, dots, until = value.partition("..")
    if value == MORE:
        return "", ""
    return (since, until) if dots else (since, "" if moments.is_age(since) else since)
