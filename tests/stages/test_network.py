"""Whether hosts are silent or we are cut off: the rule, and what it says in simulated installations."""

import heapq
from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random

import pytest

from pipeline.errors import PollError, StageError, WebError
from pipeline.model import FeedState
from pipeline.stages import network
from pipeline.stages.network import ENOUGH, PROBE_EVERY, Network, Silence, Weight
from tests import make
from tests.make import AT

SECOND = timedelta(seconds=1)
EXPECTED, UNKNOWN, SURPRISING = Weight


JUST_ANSWERED = network.answered(Network(), AT)


def silent(*weights: Weight, sites: Sequence[str] = (), since: Network = JUST_ANSWERED) -> Network:
    """After requests to as many sites, one after the other, that were begun when somebody had just answered."""
    for number, weight in enumerate(weights):
        site = sites[number] if sites else f"site{number}.example"
        since = network.fell_silent(since, Silence(site, weight, AT), AT)
    return since


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        pytest.param([SURPRISING] * 4, False, id="four that usually answer"),
        pytest.param([SURPRISING] * 5, True, id="five"),
        pytest.param([UNKNOWN] * 9, False, id="nine dead names at a cold start"),
        pytest.param([UNKNOWN] * 10, True, id="ten"),
        pytest.param([SURPRISING] * 4 + [UNKNOWN] * 2, True, id="some of both"),
        pytest.param([EXPECTED] * 99, False, id="those that have been failing, however many"),
    ],
)
def test_silence_speaks_for_an_outage_by_how_surprising_it_is(weights: list[Weight], expected: bool) -> None:
    assert silent(*weights).is_down is expected


def test_many_hosts_of_one_site_are_one_by_the_most_surprising() -> None:
    assert not silent(*[SURPRISING] * 99, sites=["one.example"] * 99).is_down
    mixed = silent(UNKNOWN, SURPRISING, EXPECTED, sites=["one.example"] * 3)
    assert mixed.silent == {"one.example": SURPRISING}


def test_one_answer_of_anybody_takes_all_evidence_away() -> None:
    nearly = silent(*[SURPRISING] * 4)
    assert not silent(SURPRISING, since=network.answered(nearly, AT)).is_down


def test_a_request_that_was_on_its_way_when_somebody_was_answered_is_no_evidence_but_is_undone() -> None:
    after = JUST_ANSWERED
    undo = (1, make.state())
    for number in range(ENOUGH):
        early = Silence(f"site{number}.example", SURPRISING, AT - SECOND, undo)
        after = network.fell_silent(after, early, AT + 30 * SECOND)
    assert not after.is_down
    assert after.undo == (undo,) * ENOUGH


def test_as_long_as_more_than_a_third_is_on_its_way_its_answers_are_waited_for() -> None:
    waiting = JUST_ANSWERED
    for _ in range(3):
        waiting = network.asked(waiting, AT)
    six = ["one.example"] * 2 + [f"site{n}.example" for n in range(4)]
    assert not silent(*[SURPRISING] * 5, since=waiting).is_down
    assert silent(*[SURPRISING] * 6, sites=six, since=waiting).is_down
    assert silent(SURPRISING, since=network.ended(silent(*[SURPRISING] * 4, since=waiting))).waiting == 2


def test_two_feeds_of_one_host_are_both_undone() -> None:
    undos = [(1, make.state()), (2, make.state())]
    after = Network()
    for undo in undos:
        after = network.fell_silent(after, Silence("one.example", SURPRISING, AT, undo), AT)
    assert after.undo == tuple(undos)


def test_while_it_is_down_a_request_in_a_while_is_allowed_and_more_silence_changes_nothing() -> None:
    down = silent(*[SURPRISING] * 5)
    assert network.allowance(down, 20, AT + PROBE_EVERY - SECOND) == 0
    assert network.allowance(down, 20, AT + PROBE_EVERY) == 1
    assert network.allowance(down, 0, AT + PROBE_EVERY) == 0
    probed = network.asked(down, AT + PROBE_EVERY)
    assert network.allowance(probed, 20, AT + PROBE_EVERY) == 0
    assert silent(SURPRISING, since=probed) == probed


def test_while_it_works_everything_is_allowed() -> None:
    assert network.ended(network.asked(Network(), AT)) == Network()
    assert network.allowance(Network(), 20, AT) == 20


@pytest.mark.parametrize(
    ("state", "expected"),
    [(FeedState(), UNKNOWN), (make.state(), SURPRISING), (make.state(failures=1), EXPECTED)],
)
def test_silence_is_the_more_surprising_the_better_a_feed_did(state: FeedState, expected: Weight) -> None:
    assert network.weight_of(state) is expected


@pytest.mark.parametrize(
    ("error", "unreached", "asked"),
    [
        (WebError("x", "dns"), True, True),
        (WebError("x", "too-large"), False, True),
        (PollError("x", "http-500"), False, True),
        (WebError("x", "host-resting"), False, False),
    ],
)
def test_only_silence_may_be_the_networks_fault(error: StageError, unreached: bool, asked: bool) -> None:
    assert (network.is_unreached(error), network.was_asked(error)) == (unreached, asked)


Fate = Callable[[int], float | None]  # the number of a site -> seconds to its answer; None: it has no address
HANGS = 30.0  # seconds


def alarms(random: Random, sites: int, weight: Callable[[int], Weight], fate: Fate, cut_at_s: float = 1e9) -> float:
    """Ask all sites once, twenty at a time; the time at which the network is taken to be down, else infinity."""
    line = random.sample(range(1, sites + 1), sites)
    running: list[tuple[float, int, float]] = []  # (ends, site, began)
    seen, now_s = Network(), 0.0
    while line or running:
        while line and len(running) < 20:
            site = line.pop()
            takes = fate(site)
            is_cut = now_s + (takes or 0) >= cut_at_s
            ends = now_s + (min(HANGS, 5) if is_cut else takes if takes is not None else 0.02)
            seen = network.asked(seen, AT + now_s * SECOND)
            heapq.heappush(running, (ends, -site if is_cut or takes in (None, HANGS) else site, now_s))
        now_s, site, began_s = heapq.heappop(running)
        seen = network.ended(seen)
        if site > 0:
            seen = network.answered(seen, AT + now_s * SECOND)
            continue
        silence = Silence(f"site{-site}.example", weight(-site), AT + began_s * SECOND)
        seen = network.fell_silent(seen, silence, AT + now_s * SECOND)
        if seen.is_down:
            return now_s
    return float("inf")


def many(
    sites: int, weight: Callable[[int], Weight], fate: Callable[[Random], Fate], cut_at_s: float = 1e9
) -> list[float]:
    return [alarms(random, sites, weight, fate(random), cut_at_s) for random in map(Random, range(10))]


def well(random: Random) -> Fate:
    return lambda site: random.uniform(0.1, 2)


def partly(share: float, instead: float | None) -> Callable[[Random], Fate]:
    return lambda random: lambda site: instead if random.random() < share else random.uniform(0.1, 2)


@pytest.mark.parametrize(
    ("sites", "weight", "fate"),
    [
        pytest.param(3, UNKNOWN, partly(1.0, None), id="three dead names at a cold start"),
        pytest.param(150, UNKNOWN, partly(0.2, None), id="a fifth dead names at a cold start"),
        pytest.param(150, UNKNOWN, partly(0.3, HANGS), id="a third hangs at a cold start"),
        pytest.param(1000, SURPRISING, partly(0.05, HANGS), id="a twentieth begins to hang"),
        pytest.param(1000, SURPRISING, partly(0.3, None), id="a third falls silent together"),
        pytest.param(1000, EXPECTED, partly(0.9, None), id="nine in ten have been failing"),
    ],
)
def test_in_thirty_simulations_hosts_that_are_silent_raise_no_alarm(
    sites: int, weight: Weight, fate: Callable[[Random], Fate]
) -> None:
    assert set(many(sites, lambda site: weight, fate)) == {float("inf")}


@pytest.mark.parametrize(
    ("sites", "weight", "fate"),
    [
        pytest.param(1000, SURPRISING, well, id="a long list"),
        pytest.param(60, SURPRISING, partly(0.1, None), id="a short one with some dead names"),
        pytest.param(150, UNKNOWN, well, id="a first run"),
    ],
)
def test_in_thirty_simulations_a_cut_is_noticed_within_half_a_minute(
    sites: int, weight: Weight, fate: Callable[[Random], Fate]
) -> None:
    assert all(1 <= at_s <= 31 for at_s in many(sites, lambda site: weight, fate, cut_at_s=1.0))
