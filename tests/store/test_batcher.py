"""The batcher: what comes while a batch is written is the next batch, and one bad item spoils no other."""

import asyncio

import pytest

from pipeline.store.database import Batcher


class Writer:
    """Keeps the batches that it was given; breaks over negative numbers."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, items: list[int]) -> list[str]:
        self.batches.append(items)
        await self.open.wait()
        if bad := [item for item in items if item < 0]:
            raise ValueError(f"bad: {bad[0]}")
        return [f"written {item}" for item in items]

    @property
    def written(self) -> list[int]:
        """What was committed, in order."""
        return [item for batch in self.batches if min(batch) >= 0 for item in batch]


@pytest.fixture
async def writer() -> Writer:
    return Writer()


def batcher(writer: Writer, largest: int = 200) -> Batcher[int, str]:
    return Batcher(writer.__call__, largest)


async def started(work: list[asyncio.Task[str]]) -> list[asyncio.Task[str]]:
    for _ in range(5):
        await asyncio.sleep(0)
    return work


async def test_an_item_alone_is_written_at_once(writer: Writer) -> None:
    batches = batcher(writer)
    assert await batches.put(1) == "written 1"
    assert await batches.put(2) == "written 2"
    assert writer.batches == [[1], [2]]


async def test_items_that_come_together_share_a_batch_and_get_their_own_results(writer: Writer) -> None:
    batches = batcher(writer)
    assert await asyncio.gather(*map(batches.put, range(5))) == [f"written {n}" for n in range(5)]
    assert writer.batches == [[0, 1, 2, 3, 4]]


async def test_what_comes_while_a_batch_is_written_is_the_next_batch(writer: Writer) -> None:
    batches = batcher(writer)
    writer.open.clear()
    first = await started([asyncio.create_task(batches.put(1))])
    later = await started([asyncio.create_task(batches.put(n)) for n in (2, 3)])
    assert writer.batches == [[1]]
    writer.open.set()
    await asyncio.gather(*first, *later)
    assert writer.batches == [[1], [2, 3]]


async def test_nothing_is_reported_before_it_is_written(writer: Writer) -> None:
    writer.open.clear()
    (put,) = await started([asyncio.create_task(batcher(writer).put(1))])
    assert not put.done()
    writer.open.set()
    assert await put == "written 1"


async def test_no_batch_is_larger_than_the_largest_and_the_order_is_kept(writer: Writer) -> None:
    await asyncio.gather(*map(batcher(writer, largest=3).put, range(8)))
    assert writer.batches == [[0, 1, 2], [3, 4, 5], [6, 7]]


async def test_a_batcher_that_lingers_takes_along_what_comes_right_after_a_batch(writer: Writer) -> None:
    batches: Batcher[int, str] = Batcher(writer.__call__, linger_s=0.1)
    writer.open.clear()
    work = await started([asyncio.create_task(batches.put(item)) for item in (1, 2)])
    work += await started([asyncio.create_task(batches.put(3))])
    writer.open.set()
    await work[0]
    work.append(asyncio.create_task(batches.put(4)))
    await asyncio.gather(*work)
    assert writer.batches == [[1, 2], [3, 4]]


async def test_only_the_culprit_of_a_batch_sees_the_error(writer: Writer) -> None:
    batches = batcher(writer)
    async with asyncio.timeout(5):
        results = await asyncio.gather(*map(batches.put, (1, -2, 3, -4)), return_exceptions=True)
    assert [str(result) for result in results] == ["written 1", "bad: -2", "written 3", "bad: -4"]
    assert isinstance(results[1], ValueError)
    assert writer.written == [1, 3]


async def test_after_a_failed_batch_writing_goes_on(writer: Writer) -> None:
    batches = batcher(writer, largest=2)
    async with asyncio.timeout(5):
        await asyncio.gather(*map(batches.put, (-1, -2, 3)), return_exceptions=True)
    assert await batches.put(4) == "written 4"
    assert writer.written == [3, 4]


async def test_who_no_longer_waits_disturbs_no_other_and_the_item_is_written_all_the_same(writer: Writer) -> None:
    batches = batcher(writer)
    writer.open.clear()
    gone, bad, kept = await started([asyncio.create_task(batches.put(n)) for n in (1, -2, 3)])
    gone.cancel()
    bad.cancel()
    await started([])
    writer.open.set()
    assert await asyncio.wait_for(kept, 5) == "written 3"
    assert gone.cancelled()
    assert bad.cancelled()
    assert writer.written == [1, 3]
