"""The pool of worker processes, with real processes: order, deadlines, deaths, recycling, cancelling, no leaks."""

import asyncio
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.compute import Compute
from pipeline.errors import ComputeError, ExtractError

DEADLINE = timedelta(seconds=1)
PATIENCE_S = 20.0  # for what should happen at once, on a busy machine


def square(number: int) -> int:
    return number * number


def own_pid() -> int:
    return os.getpid()


def nap(seconds: float) -> int:
    time.sleep(seconds)  # noqa: TID251 - a real child that really takes its time
    return os.getpid()


def spin(path: Path) -> None:
    """Count in C, over which no signal handler of Python runs."""
    count_in(path)
    sum(range(10**15))


def write_pid_and_hang(path: Path) -> None:
    path.write_text(str(os.getpid()))
    nap(600)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_the_first_time(path: Path) -> str:
    if not path.exists():
        path.touch()
        die()
    return "alive"


def count_in(path: Path) -> None:
    with path.open("a") as tries:
        tries.write("x")


def count(path: Path) -> None:
    count_in(path)
    die()


def fail_as_a_stage() -> None:
    raise ExtractError("https://example.com/a", "too-short", detail="12 characters", retryable=True)


def fail_by_mistake() -> None:
    raise ZeroDivisionError("the mistake")


class OneWayError(Exception):
    """Pickles, but cannot be read back: its constructor wants what its args do not hold."""

    def __init__(self, a: str, b: str) -> None:
        super().__init__(a + b)


def fail_unpicklably() -> None:
    raise OneWayError("a", "b")


def unpicklable_result() -> object:
    return lambda: None


def length(body: bytes) -> int:
    return len(body)


def echo(body: bytes) -> bytes:
    return body


def interrupt_self() -> str:
    os.kill(os.getpid(), signal.SIGINT)
    return "still here"


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.02)


async def until_gone(pid: int) -> None:
    await until(lambda: not is_alive(pid))


async def until_written(path: Path) -> int:
    await until(lambda: path.exists() and path.read_text() != "")
    return int(path.read_text())


@pytest.fixture
async def two() -> AsyncIterator[Compute]:
    async with Compute(2, timedelta(seconds=PATIENCE_S)) as compute:
        yield compute


@pytest.fixture
async def hasty() -> AsyncIterator[Compute]:
    async with Compute(1, DEADLINE) as compute:
        yield compute


async def test_every_caller_gets_its_own_answer(two: Compute) -> None:
    answers = await asyncio.gather(*(two(square, number) for number in range(200)))
    assert answers == [number * number for number in range(200)]


async def test_tasks_run_at_the_same_time_in_as_many_children_as_asked_for(two: Compute) -> None:
    pids = await asyncio.gather(*(two(nap, 0.3) for _ in range(4)))
    assert len(set(pids)) == 2
    assert os.getpid() not in pids


async def test_a_child_that_is_free_is_used_again(two: Compute) -> None:
    assert len({await two(own_pid) for _ in range(5)}) == 1


async def test_large_arguments_and_results_cross_without_holding_up_the_loop(two: Compute) -> None:
    body = bytes(8_000_000)
    assert await two(length, body) == len(body)
    assert await two(echo, body) == body


async def test_a_stage_error_comes_back_whole(two: Compute) -> None:
    with pytest.raises(ExtractError) as caught:
        await two(fail_as_a_stage)
    error = caught.value
    assert (error.subject, error.reason, error.detail, error.retryable) == (
        "https://example.com/a",
        "too-short",
        "12 characters",
        True,
    )


async def test_a_programming_error_comes_back_with_the_childs_traceback(two: Compute) -> None:
    with pytest.raises(ZeroDivisionError, match="the mistake") as caught:
        await two(fail_by_mistake)
    assert "fail_by_mistake" in "".join(caught.value.__notes__)


@pytest.mark.parametrize("fn", [fail_unpicklably, unpicklable_result])
async def test_what_cannot_cross_the_border_is_said_so_and_spares_the_child(two: Compute, fn: object) -> None:
    pid = await two(own_pid)
    with pytest.raises(ComputeError) as caught:
        await two(fn)  # type: ignore[arg-type]
    assert (caught.value.reason, caught.value.retryable) == ("unpicklable", False)
    assert await two(own_pid) == pid


async def test_an_unpicklable_argument_is_said_so(two: Compute) -> None:
    with pytest.raises(ComputeError, match="unpicklable"):
        await two(echo, lambda: b"")  # type: ignore[arg-type]


async def test_a_hanging_task_is_ended_at_its_deadline_and_its_child_with_it(hasty: Compute, tmp_path: Path) -> None:
    await hasty(own_pid)
    started = time.monotonic()
    with pytest.raises(ComputeError) as caught:
        await hasty(write_pid_and_hang, tmp_path / "pid")
    assert DEADLINE.total_seconds() <= time.monotonic() - started < PATIENCE_S
    assert (caught.value.reason, caught.value.retryable) == ("compute-timeout", False)
    await until_gone(int((tmp_path / "pid").read_text()))
    assert await hasty(square, 3) == 9


async def test_a_task_that_uses_up_its_time_is_ended_and_not_tried_again(hasty: Compute, tmp_path: Path) -> None:
    with pytest.raises(ComputeError) as caught:
        await hasty(spin, tmp_path / "tries")
    assert (caught.value.reason, caught.value.detail) == ("compute-timeout", "over 1 s")
    assert (tmp_path / "tries").read_text() == "x"
    assert await hasty(square, 3) == 9


async def test_time_in_which_a_task_does_not_run_counts_for_a_third(hasty: Compute) -> None:
    assert await hasty(nap, 1.5 * DEADLINE.total_seconds()) > 0


async def test_a_task_whose_child_is_killed_once_is_tried_again(two: Compute, tmp_path: Path) -> None:
    assert await two(die_the_first_time, tmp_path / "tried") == "alive"


async def test_a_task_that_kills_every_child_is_given_up_after_two(two: Compute, tmp_path: Path) -> None:
    with pytest.raises(ComputeError) as caught:
        await two(count, tmp_path / "tries")
    assert (caught.value.reason, caught.value.retryable) == ("worker-died", False)
    assert (tmp_path / "tries").read_text() == "xx"
    assert await two(square, 3) == 9


async def test_a_poisonous_task_does_not_disturb_the_others(two: Compute) -> None:
    neighbour = asyncio.create_task(two(nap, 1.0))
    with pytest.raises(ComputeError, match="worker-died"):
        await two(die)
    assert await neighbour > 0


async def test_a_child_killed_between_tasks_is_not_noticed_by_the_next(hasty: Compute) -> None:
    pid = await hasty(own_pid)
    os.kill(pid, signal.SIGKILL)
    assert await hasty(own_pid) != pid


async def test_a_child_is_replaced_after_its_share_of_tasks() -> None:
    async with Compute(1, timedelta(seconds=PATIENCE_S), recycle_after=3) as compute:
        pids = [await compute(own_pid) for _ in range(7)]
        assert pids[0] == pids[1] == pids[2] != pids[3] == pids[5] != pids[6]
        await until_gone(pids[0])


async def test_a_cancelled_task_leaves_no_stale_answer_to_the_next(two: Compute, tmp_path: Path) -> None:
    cancelled = asyncio.create_task(two(write_pid_and_hang, tmp_path / "pid"))
    pid = await until_written(tmp_path / "pid")
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert await asyncio.gather(*(two(square, number) for number in range(20))) == [n * n for n in range(20)]
    await until_gone(pid)


@pytest.mark.parametrize("after", [0.0, 0.001, 0.005, 0.02, 0.1])
async def test_a_task_cancelled_while_its_child_starts_costs_nobody_a_worker(after: float) -> None:
    async with Compute(1, timedelta(seconds=PATIENCE_S)) as compute:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(after):
                    await compute(nap, 0.3)
        assert len({await compute(own_pid) for _ in range(3)}) == 1


async def test_waiting_callers_are_served_after_a_cancelled_one(hasty: Compute) -> None:
    first, second, third = (asyncio.create_task(hasty(square, number)) for number in (1, 2, 3))
    await asyncio.sleep(0)
    second.cancel()
    assert (await first, await third) == (1, 9)


async def test_an_interrupt_is_left_to_the_parent(hasty: Compute) -> None:
    assert await hasty(interrupt_self) == "still here"


async def test_a_machine_that_starts_no_process_is_not_the_tasks_fault(two: Compute) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(ComputeError) as caught:
            await two(square, 3)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (caught.value.reason, caught.value.retryable) == ("no-worker", True)
    assert await two(square, 3) == 9


async def test_no_child_is_alive_after_closing(tmp_path: Path) -> None:
    compute = Compute(3, timedelta(seconds=PATIENCE_S))
    pids = set(await asyncio.gather(*(compute(nap, 0.3) for _ in range(2))))
    busy = asyncio.create_task(compute(write_pid_and_hang, tmp_path / "pid"))
    pids.add(await until_written(tmp_path / "pid"))
    waiting = asyncio.create_task(compute(nap, 0.1))
    await compute.close()
    assert [pid for pid in pids if is_alive(pid)] == []
    for call in (busy, waiting, compute(square, 2)):
        with pytest.raises(ComputeError) as caught:
            await call
        assert (caught.value.reason, caught.value.retryable) == ("pool-closed", True)
    await compute.close()


async def test_closing_while_a_child_starts_ends_it_too() -> None:
    compute = Compute(1, timedelta(seconds=PATIENCE_S))
    call = asyncio.create_task(compute(own_pid))
    await asyncio.sleep(0)
    await compute.close()
    with pytest.raises(ComputeError, match="pool-closed"):
        await call


PARENT = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
sys.path[:0] = {path!r}
from pipeline.compute import Compute
import test_pool

async def main():
    compute = Compute(2, timedelta(seconds=1.5))
    busy = asyncio.create_task(compute(test_pool.write_pid_and_hang, Path({busy!r})))
    while not Path({busy!r}).exists():
        await asyncio.sleep(.02)
    idle = await compute(test_pool.own_pid)
    Path({idle!r}).write_text(str(idle))
    await busy

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_a_killed_parent_leaves_no_orphans_neither_idle_nor_hanging(tmp_path: Path) -> None:
    busy, idle, script = tmp_path / "busy", tmp_path / "idle", tmp_path / "parent.py"
    here = Path(__file__)
    script.write_text(PARENT.format(path=[str(here.parent), str(here.parents[2])], busy=str(busy), idle=str(idle)))
    parent = await asyncio.create_subprocess_exec(sys.executable, str(script))
    try:
        pids = [await until_written(idle), await until_written(busy)]
    finally:
        parent.kill()
        await parent.wait()
    for pid in pids:
        await until_gone(pid)
