"""FeedState <-> the columns of feed_states; and whether a run polls the feed of one now."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select

from pipeline.model import FeedState, Health, Rhythm
from pipeline.store.tables import feed_claims, feed_states

_DURATIONS = ("ttl", "fresh_for", "usual_gap")
_SPELT = (*_DURATIONS, "skip_hours", "skip_days", "health", "seen", "rhythm")  # otherwise than in the state
_FIELDS = tuple(field.name for field in fields(FeedState))
_PLAIN = tuple(name for name in _FIELDS if name not in _SPELT)
_COLUMNS = tuple(feed_states.c[f"{name}_s" if name in _DURATIONS else name] for name in _FIELDS)


def is_claimed() -> ColumnElement[bool]:
    """Whether a run polls the feed of a state now."""
    return select(feed_claims.c.feed_id).where(feed_claims.c.feed_id == feed_states.c.feed_id).exists()


def state_columns() -> list[Any]:
    """The columns that a state is read from; the last ones of a query."""
    return list(_COLUMNS)


def state_values(state: FeedState) -> dict[str, Any]:
    """A state as values of columns."""
    values = {name: getattr(state, name) for name in _PLAIN}
    for name in _DURATIONS:
        duration: timedelta | None = getattr(state, name)
        values[f"{name}_s"] = None if duration is None else duration.total_seconds()
    return {
        **values,
        "skip_hours": sorted(state.skip_hours),
        "skip_days": sorted(state.skip_days),
        "health": state.health.value,
        "seen": " ".join(sorted(state.seen)),
        "rhythm": None if state.rhythm is None else _kept(state.rhythm),
    }


def state_of(row: Any) -> FeedState:
    """The state in the last columns of a row."""
    values = list(row[-len(_COLUMNS) :])  # by place: a claim reads hundreds, and names of rows are slow
    for place, read in _READ:
        if values[place] is not None:
            values[place] = read(values[place])
    return FeedState(*values)


def _kept(rhythm: Rhythm) -> dict[str, Any]:
    return {
        "polled_at": rhythm.polled_at.isoformat(),
        "window": rhythm.window,
        "days": rhythm.days,
        "hours": rhythm.hours,
        "weekdays": rhythm.weekdays,
    }


def _rhythm(kept: dict[str, Any]) -> Rhythm:
    hours, weekdays = tuple(kept["hours"]), tuple(kept["weekdays"])
    return Rhythm(datetime.fromisoformat(kept["polled_at"]), kept["window"], kept["days"], hours, weekdays)


def _seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


def _words(value: str) -> frozenset[str]:
    return frozenset(value.split())


_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_DURATIONS, _seconds),
    **dict.fromkeys(("skip_hours", "skip_days"), frozenset),
    "health": {health.value: health for health in Health}.__getitem__,
    "seen": _words,
    "rhythm": _rhythm,
}
_READ = tuple((place, _READERS[name]) for place, name in enumerate(_FIELDS) if name in _READERS)
