"""FeedState <-> the columns of feed_states."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from pipeline.model import FeedState, Health
from pipeline.store.tables import feed_states

_NOT_STATE = ("feed_id", "run_id")
_DURATIONS = ("ttl", "usual_gap")


def state_columns() -> list[Any]:
    """The columns that a state is read from."""
    return [column for column in feed_states.c if column.name not in _NOT_STATE]


def state_values(state: FeedState) -> dict[str, Any]:
    """A state as values of columns."""
    values = asdict(state)
    for name in _DURATIONS:
        duration: timedelta | None = values.pop(name)
        values[f"{name}_s"] = None if duration is None else duration.total_seconds()
    return {
        **values,
        "skip_hours": sorted(state.skip_hours),
        "skip_days": sorted(state.skip_days),
        "health": state.health.value,
        "seen": " ".join(sorted(state.seen)),
    }


def state_of(row: Any) -> FeedState:
    """The state in a row."""
    values = {column.name: getattr(row, column.name) for column in state_columns()}
    for name in _DURATIONS:
        seconds = values.pop(f"{name}_s")
        values[name] = None if seconds is None else timedelta(seconds=seconds)
    for name in ("skip_hours", "skip_days"):
        values[name] = frozenset(values[name])
    return FeedState(**{**values, "health": Health(values["health"]), "seen": frozenset(values["seen"].split())})
