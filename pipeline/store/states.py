"""FeedState <-> the columns of feed_states."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from pipeline.model import FeedState
from pipeline.store.tables import feed_states

_NOT_STATE = ("feed_id", "run_id")


def state_columns() -> list[Any]:
    """The columns that a state is read from."""
    return [column for column in feed_states.c if column.name not in _NOT_STATE]


def state_values(state: FeedState) -> dict[str, Any]:
    """A state as values of columns."""
    values = asdict(state)
    ttl: timedelta | None = values.pop("ttl")
    return {
        **values,
        "ttl_s": None if ttl is None else ttl.total_seconds(),
        "skip_hours": sorted(state.skip_hours),
        "skip_days": sorted(state.skip_days),
    }


def state_of(row: Any) -> FeedState:
    """The state in a row."""
    values = {column.name: getattr(row, column.name) for column in state_columns()}
    ttl_s = values.pop("ttl_s")
    values["ttl"] = None if ttl_s is None else timedelta(seconds=ttl_s)
    for name in ("skip_hours", "skip_days"):
        values[name] = frozenset(values[name])
    return FeedState(**values)
