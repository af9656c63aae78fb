"""FeedState <-> the columns of feed_states."""

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from pipeline.model import FeedState, Health, Rhythm
from pipeline.store.tables import feed_states

_NOT_STATE = ("feed_id", "run_id")
_DURATIONS = ("ttl", "fresh_for", "usual_gap")
_SPELT = (*_DURATIONS, "skip_hours", "skip_days", "health", "seen", "rhythm")  # otherwise than in the state
_COLUMNS = tuple(column for column in feed_states.c if column.name not in _NOT_STATE)
_FIELDS = tuple(column.name.removesuffix("_s") for column in _COLUMNS)
_HEALTHS = {health.value: health for health in Health}
_NONE: frozenset[int] = frozenset()
_PLAIN = tuple(field.name for field in fields(FeedState) if field.name not in _SPELT)


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
    values: dict[str, Any] = dict(zip(_FIELDS, row[-len(_FIELDS) :], strict=True))  # by place: names of rows are slow
    for name in _DURATIONS:
        if values[name] is not None:
            values[name] = timedelta(seconds=values[name])
    for name in ("skip_hours", "skip_days"):
        values[name] = frozenset(values[name]) if values[name] else _NONE
    if values["rhythm"] is not None:
        values["rhythm"] = _rhythm(values["rhythm"])
    values["health"] = _HEALTHS[values["health"]]
    values["seen"] = frozenset(values["seen"].split())
    return FeedState(**values)


def _kept(rhythm: Rhythm) -> dict[str, Any]:
    return {
        "polled_at": rhythm.polled_at.isoformat(),
        "window": rhythm.window,
        "days": rhythm.days,
        "hours": rhythm.hours,
        "weekdays": rhythm.weekdays,
    }


def _rhythm(kept: dict[str, Any]) -> Rhythm:
    return Rhythm(
        polled_at=datetime.fromisoformat(kept["polled_at"]),
        window=kept["window"],
        days=kept["days"],
        hours=tuple(kept["hours"]),
        weekdays=tuple(kept["weekdays"]),
    )
