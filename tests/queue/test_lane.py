"""A lane: so much work at a time, one piece a host, and nothing is lost when something breaks."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from pipeline.errors import StoreError
from pipeline.queue.lane import LONGEST_WAIT_S, Lane
from tests.conftest import StillClock

Piece = tuple[str, str]  # name, host
STEPS = 20  # of the event loop: enough for everything that waits for nothing


class Desk:
    """A duty whose work lies in a list; a piece takes until `open` is set."""

    name = "desk"

    def __init__(self, *todo: Piece, fails: Collection[str] = (), free_at: datetime | None = None) -> None:
        self.todo = list(todo)
        self.fails = fails  # the names of pieces that break
        self.free_at = free_at  # before that, hosts want to be left alone
        self.now: Callable[[], datetime] | None = None
        self.open = asyncio.Event()
        self.doing: list[Piece] = []
        self.done: list[str] = []
        self.cancelled: list[str] = []
        self.given_back: list[tuple[str, str]] = []
        self.most: Counter[str] = Counter()  # pieces at once: "" in all, else of a host
        self.claims = 0

    async def claim(self, limit: int, busy: Collection[str]) -> Sequence[Piece]:
        self.claims += 1
        await asyncio.sleep(0)
        if self.free_at and self.now and self.now() < self.free_at:
            return ()
        claimed: list[Piece] = []
        for piece in tuple(self.todo):
            hosts = {*busy, *(host for _, host in claimed if host)}
            if len(claimed) < limit and piece[1] not in hosts:
                claimed.append(piece)
                self.todo.remove(piece)
        return claimed

    async def next_claim_at(self) -> datetime | None:
        await asyncio.sleep(0)
        return (self.free_at or StillClock().now()) if self.todo else None

    def host(self, piece: Piece) -> str:
        return piece[1]

    async def do(self, piece: Piece) -> None:
        self.doing.append(piece)
        for key, count in Counter(["", *(host for _, host in self.doing if host)]).items():
            self.most[key] = max(self.most[key], count if key else len(self.doing))
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled.append(piece[0])
            raise
        finally:
            self.doing.remove(piece)
        if piece[0] in self.fails:
            raise RuntimeError(f"{piece[0]} broke")
        self.done.append(piece[0])

    async def give_back(self, piece: Piece, error: Exception) -> None:
        await asyncio.sleep(0)
        self.given_back.append((piece[0], str(error)))


def pieces(count: int, host: str = "host{}") -> tuple[Piece, ...]:
    return tuple((f"piece{number}", host.format(number)) for number in range(count))


def open_desk(*todo: Piece, **more: Any) -> Desk:
    """One whose pieces take no time."""
    desk = Desk(*todo, **more)
    desk.open.set()
    return desk


async def settle() -> None:
    for _ in range(STEPS):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("size", "at_once"), [(1, 1), (3, 3), (50, 7)], ids=["one", "three", "more than there are"])
async def test_no_more_pieces_run_at_once_than_the_lane_is_wide(clock: StillClock, size: int, at_once: int) -> None:
    desk = Desk(*pieces(7))
    lane = Lane(desk, size, clock)
    assert await lane.nudge() == at_once
    assert await lane.nudge() == 0
    await settle()
    assert len(desk.doing) == at_once
    desk.open.set()
    await lane.run_dry()
    assert sorted(desk.done) == [name for name, _ in pieces(7)]
    assert desk.most[""] == at_once


async def test_a_host_is_asked_by_one_piece_at_once(clock: StillClock) -> None:
    desk = Desk(*pieces(4, host="a"), *pieces(2, host="b"))
    lane = Lane(desk, 5, clock)
    await lane.nudge()
    await settle()
    desk.open.set()
    await lane.run_dry()
    assert len(desk.done) == 6
    assert (desk.most["a"], desk.most["b"], desk.most[""]) == (1, 1, 2)


async def test_pieces_that_ask_no_host_do_not_wait_for_each_other(clock: StillClock) -> None:
    desk = Desk(*pieces(3, host=""))
    lane = Lane(desk, 3, clock)
    await lane.nudge()
    await settle()
    assert len(desk.doing) == 3
    await lane.drain(0)


async def test_a_full_lane_has_room_again_when_a_quarter_is_free_or_nothing_more_is_started(clock: StillClock) -> None:
    desk = Desk(*((str(n), "") for n in range(4)))
    lane = Lane(desk, 4, clock)
    await lane.has_room()  # at once
    await lane.nudge()
    waiting = asyncio.create_task(lane.has_room())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    desk.open.set()
    await asyncio.wait_for(waiting, 5)
    desk.open.clear()
    desk.todo = [(str(n), "") for n in range(4)]
    await lane.nudge()
    waiting = asyncio.create_task(lane.has_room())
    await lane.drain(0)
    await asyncio.wait_for(waiting, 5)


async def test_the_end_of_a_piece_claims_the_next(clock: StillClock) -> None:
    desk = Desk(*pieces(9, host="same"))
    await Lane(desk, 2, clock).nudge()
    desk.open.set()
    for _ in range(9):
        await settle()
    assert len(desk.done) == 9


async def test_an_unexpected_error_is_logged_and_counted_and_its_piece_given_back_while_others_go_on(
    clock: StillClock,
) -> None:
    desk = open_desk(*pieces(6), fails={"piece1", "piece4"})
    lane = Lane(desk, 2, clock)
    with capture_logs() as logs:
        await lane.run_dry()
    assert sorted(desk.done) == ["piece0", "piece2", "piece3", "piece5"]
    assert desk.given_back == [("piece1", "piece1 broke"), ("piece4", "piece4 broke")]
    assert lane.errors == 2
    assert [(entry["event"], entry["duty"], entry["log_level"]) for entry in logs] == [
        ("unexpected error", "desk", "error")
    ] * 2


async def test_what_breaks_while_another_piece_is_given_back_is_given_back_too(clock: StillClock) -> None:
    class Slow(Desk):
        async def do(self, piece: Piece) -> None:
            if piece[0] == "piece0":
                raise RuntimeError("early")
            await super().do(piece)

        async def give_back(self, piece: Piece, error: Exception) -> None:
            self.open.set()  # the others break in the meantime
            await settle()
            await super().give_back(piece, error)

    desk = Slow(*pieces(4), fails={"piece1", "piece2", "piece3"})
    with capture_logs():
        await Lane(desk, 4, clock).run_dry()
    assert [name for name, _ in desk.given_back] == ["piece0", "piece1", "piece2", "piece3"]


async def test_what_cannot_be_given_back_is_given_back_with_a_later_nudge(clock: StillClock) -> None:
    class Full(Desk):
        is_full = True

        async def give_back(self, piece: Piece, error: Exception) -> None:
            if self.is_full:
                raise StoreError("the disk is full")
            await super().give_back(piece, error)

    desk = Full(*pieces(1), fails={"piece0"})
    desk.open.set()
    lane = Lane(desk, 1, clock)
    with capture_logs() as logs:
        await lane.nudge()
        await settle()
        with pytest.raises(StoreError):
            await lane.nudge()
    assert {"event": "cannot claim work", "duty": "desk", "error": "the disk is full", "log_level": "error"} in logs
    desk.is_full = False
    await lane.nudge()
    assert desk.given_back == [("piece0", "piece0 broke")]


async def test_a_claim_that_fails_between_ticks_is_logged_and_the_next_tick_goes_on(clock: StillClock) -> None:
    class Locked(Desk):
        async def claim(self, limit: int, busy: Collection[str]) -> Sequence[Piece]:
            if self.claims == 1:
                self.claims += 1
                raise StoreError("locked")
            return await super().claim(limit, busy)

    desk = Locked(*pieces(2))
    desk.open.set()
    lane = Lane(desk, 1, clock)
    with capture_logs() as logs:
        await lane.nudge()
        await settle()
    assert [(entry["event"], entry["error"]) for entry in logs] == [("cannot claim work", "locked")]
    await lane.nudge()
    await settle()
    assert desk.done == ["piece0", "piece1"]


async def test_a_drained_lane_lets_end_what_runs_and_starts_nothing_more(clock: StillClock) -> None:
    desk = Desk(*pieces(4))
    lane = Lane(desk, 2, clock)
    await lane.nudge()
    await settle()
    draining = asyncio.create_task(lane.drain(10))
    await settle()
    assert not draining.done()
    desk.open.set()
    await draining
    assert (desk.done, desk.cancelled) == (["piece0", "piece1"], [])
    assert await lane.nudge() == 0
    assert [name for name, _ in desk.todo] == ["piece2", "piece3"]


async def test_what_is_too_slow_is_cancelled_when_a_lane_is_drained(clock: StillClock) -> None:
    desk = Desk(*pieces(2))
    lane = Lane(desk, 2, clock)
    await lane.nudge()
    await settle()
    await asyncio.wait_for(lane.drain(0.02), 5)
    assert sorted(desk.cancelled) == ["piece0", "piece1"]
    assert (desk.doing, desk.done) == ([], [])


async def test_what_broke_while_draining_is_given_back(clock: StillClock) -> None:
    desk = Desk(*pieces(2), fails={"piece0", "piece1"})
    lane = Lane(desk, 2, clock)
    await lane.nudge()
    await settle()
    desk.open.set()
    with capture_logs():
        await lane.drain(10)
    assert sorted(name for name, _ in desk.given_back) == ["piece0", "piece1"]


@pytest.mark.parametrize(
    ("within_s", "done", "cancelled"),
    [pytest.param(10, ["piece0", "piece1"], [], id="done"), pytest.param(0.1, ["piece0"], ["piece1"], id="cancelled")],
)
async def test_what_is_being_claimed_when_a_lane_is_drained_is_done_or_cancelled_like_the_rest(
    clock: StillClock, within_s: float, done: list[str], cancelled: list[str]
) -> None:
    class Slow(Desk):
        async def claim(self, limit: int, busy: Collection[str]) -> Sequence[Piece]:
            claimed = await super().claim(limit, busy)
            if self.claims > 1:
                self.open.clear()
                await asyncio.sleep(0.02)
                asyncio.get_running_loop().call_later(0.3, self.open.set)
            return claimed

    desk = Slow(*pieces(3))
    desk.open.set()
    lane = Lane(desk, 1, clock)
    await lane.nudge()
    await settle()
    await lane.drain(within_s)
    assert (desk.done, desk.cancelled, desk.doing) == (done, cancelled, [])
    assert [name for name, _ in desk.todo] == ["piece2"]


async def test_a_lane_without_work_is_drained_at_once(clock: StillClock) -> None:
    await asyncio.wait_for(Lane(Desk(), 1, clock).drain(3600), 5)


async def test_leaving_a_lane_on_an_error_cancels_what_runs(clock: StillClock) -> None:
    desk = Desk(*pieces(1))

    async def work() -> None:
        async with Lane(desk, 1, clock) as lane:
            await lane.nudge()
            await settle()
            raise KeyError

    with pytest.raises(KeyError):
        await work()
    assert desk.cancelled == ["piece0"]


async def test_a_dry_lane_is_left_at_once(clock: StillClock) -> None:
    desk = Desk()
    started = clock.now()
    await Lane(desk, 3, clock).run_dry()
    assert (desk.claims, clock.now()) == (1, started)


async def test_the_pace_of_hosts_is_waited_for_on_the_clock(clock: StillClock) -> None:
    started = clock.now()
    pace = timedelta(seconds=LONGEST_WAIT_S + 2)
    desk = open_desk(*pieces(2), free_at=started + pace)
    desk.now = clock.now
    await Lane(desk, 2, clock).run_dry()
    assert len(desk.done) == 2
    assert clock.now() == started + pace
    assert desk.claims <= 5, "it sleeps in between"


async def test_a_lane_is_not_dry_while_the_end_of_a_piece_is_claiming_the_next(clock: StillClock) -> None:
    class Racing(Desk):
        async def claim(self, limit: int, busy: Collection[str]) -> Sequence[Piece]:
            if self.claims == 1:  # the lane looks again while the first piece runs: now that one ends
                self.open.set()
                await settle()
            return await super().claim(limit, busy)

        async def next_claim_at(self) -> datetime | None:
            self.open.clear()
            asyncio.get_running_loop().call_later(0.02, self.open.set)
            await settle()
            return await super().next_claim_at()

    desk = Racing(*pieces(2, host="same"))
    await Lane(desk, 2, clock).run_dry()
    assert desk.done == ["piece0", "piece1"]


async def test_what_another_run_holds_is_waited_for_until_it_has_ended_or_become_free(clock: StillClock) -> None:
    desk = open_desk()
    answers = [frozenset({1, 2}), frozenset({2, 3}), frozenset({3})]
    started = clock.now()

    async def others() -> frozenset[int]:
        if len(answers) == 2:
            desk.todo.append(("freed", "host"))
        return answers.pop(0)

    await Lane(desk, 2, clock).run_dry_with(others)
    assert desk.done == ["freed"]
    assert (answers, clock.now() - started) == ([], timedelta(seconds=2))


async def test_the_patience_with_other_runs_ends(clock: StillClock) -> None:
    started = clock.now()

    async def others() -> frozenset[int]:
        return frozenset({1})

    await Lane(Desk(), 2, clock).run_dry_with(others, patience_s=7)
    assert clock.now() - started == timedelta(seconds=7)
