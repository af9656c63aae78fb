"""How requests ended -> Network: whether hosts do not answer because they are silent, or because we are cut off.

What speaks for an outage of ours is silence that nothing contradicts and that is hard to explain otherwise: since the
last answer of anybody, requests to several sites have failed, each site counted once however many hosts it has, and the
more the less its silence was to be expected; and few requests are still on their way: an answer may take longer than it
takes to learn that a name does not exist. A request that was on its way when somebody else was answered says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum

from pipeline.errors import StageError
from pipeline.model import FeedState

PROBE_EVERY = timedelta(minutes=1)  # while we are cut off, one request looks whether we still are
ENOUGH = 10  # weight of silence: of five sites that answered the last time, or of ten that nobody knows
SHARE = 2 / 3  # of the requests since the last answer that must have ended, all in silence

_UNREACHED = frozenset({"dns", "connect", "tls", "proxy", "timeout"})  # the host itself has said nothing
_UNASKED = frozenset(  # no request was made, or the one for robots.txt failed in a way that this does not tell
    {"bad-url", "bad-request", "address-refused", "host-resting", "robots-disallowed", "robots-unreachable"}
)


class Weight(IntEnum):
    """How much the silence of a site says."""

    EXPECTED = 0  # the last request failed too
    UNKNOWN = 1  # nobody has asked it before
    SURPRISING = 2  # it answered the last time


@dataclass(frozen=True, slots=True)
class Silence:
    """A request that ended without a word of its host."""

    site: str
    weight: Weight
    begun_at: datetime
    undo: tuple[int, FeedState] | None = None  # a feed, and what it goes back to if this was no failure of its own


@dataclass(frozen=True, slots=True)
class Network:
    """What the requests of a process say of the network that it uses."""

    waiting: int = 0  # requests on their way
    answered_at: datetime | None = None  # when anybody did so last
    unanswered: int = 0  # requests that were begun since then, and have failed
    silent: Mapping[str, Weight] = field(default_factory=dict)  # their sites
    undo: tuple[tuple[int, FeedState], ...] = ()  # of all that have failed since then
    probed_at: datetime | None = None  # while we are cut off: when somebody was asked last

    @property
    def is_down(self) -> bool:
        """Whether we seem to be cut off."""
        return self.probed_at is not None


def asked(network: Network, now: datetime) -> Network:
    """A request is made: while we are cut off, there is no other one for a while."""
    return replace(network, waiting=network.waiting + 1, probed_at=now if network.is_down else None)


def ended(network: Network) -> Network:
    """A request is over, however it ended."""
    return replace(network, waiting=network.waiting - 1)


def answered(network: Network, now: datetime) -> Network:
    """A host has answered, whatever it said."""
    return Network(network.waiting, now)


def fell_silent(network: Network, silence: Silence, now: datetime) -> Network:
    """A request has ended in silence; while we are cut off, that is nothing new."""
    if network.is_down:
        return network
    after = replace(network, undo=(*network.undo, silence.undo)) if silence.undo else network
    if network.answered_at is None or network.answered_at <= silence.begun_at:
        weight = max(silence.weight, network.silent.get(silence.site, silence.weight))
        silent = {**network.silent, silence.site: weight}
        after = replace(after, silent=silent, unanswered=network.unanswered + 1)
    return replace(after, probed_at=now) if _speaks_for_an_outage(after) else after


def _speaks_for_an_outage(network: Network) -> bool:
    begun = network.unanswered + network.waiting
    return sum(network.silent.values()) >= ENOUGH and network.unanswered >= SHARE * begun


def allowance(network: Network, wanted: int, now: datetime) -> int:
    """How many requests may be made now."""
    if network.probed_at is None:
        return wanted
    return min(wanted, 1) if now - network.probed_at >= PROBE_EVERY else 0


def weight_of(state: FeedState) -> Weight:
    """How much it says when a feed in this state does not answer."""
    if state.failures:
        return Weight.EXPECTED
    return Weight.UNKNOWN if state.last_success_at is None else Weight.SURPRISING


def was_asked(error: StageError) -> bool:
    """Whether a request was made before it failed."""
    return error.reason not in _UNASKED


def is_unreached(error: StageError) -> bool:
    """Whether a failure may as well be our own network's."""
    return error.reason in _UNREACHED
