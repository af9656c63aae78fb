"""How fast may be written, and how often somebody may show a token that is wrong."""

from dataclasses import dataclass, field
from datetime import datetime

from pipeline.clock import Clock


@dataclass(frozen=True, slots=True)
class Pace:
    """So many at once, then so many a second."""

    burst: int
    per_second: float


WRITES = Pace(60, 2.0)  # of all who may write
GUESSES = Pace(20, 0.2)  # of one address
MOST_ADDRESSES = 1_000  # that are remembered


@dataclass(slots=True)
class Bucket:
    """What is left of a pace."""

    clock: Clock
    pace: Pace
    left: float = field(init=False)
    at: datetime | None = None

    def __post_init__(self) -> None:
        self.left = self.pace.burst

    def wait_s(self) -> float:
        """The seconds until there is one; 0: there is."""
        now = self.clock.now()
        if self.at is not None:
            gained = max((now - self.at).total_seconds(), 0) * self.pace.per_second
            self.left = min(self.pace.burst, self.left + gained)
        self.at = now
        return max(1 - self.left, 0) / self.pace.per_second

    def take(self) -> float:
        """Take one; returns the seconds until there is one, 0: it was taken."""
        wait_s = self.wait_s()
        if not wait_s:
            self.left -= 1
        return wait_s


class Guesses:
    """Wrong tokens, by the addresses that they came from."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}  # who guessed last is last

    def wait_s(self, address: str) -> float:
        """The seconds until this address may try again; 0: it may."""
        bucket = self._buckets.get(address)
        return bucket.wait_s() if bucket else 0

    def count(self, address: str) -> None:
        """A token was wrong."""
        bucket = self._buckets.pop(address, None) or Bucket(self._clock, GUESSES)
        bucket.take()
        self._buckets[address] = bucket
        if len(self._buckets) > MOST_ADDRESSES:
            del self._buckets[next(iter(self._buckets))]
