"""A day of twenty misbehaving feeds; benchmarks/soak.py is the same with a thousand."""

from pathlib import Path

from tests.politeness.crowd import START, Crowd, Manner
from tests.politeness.world import DAY, MINUTE, world


async def test_in_a_day_of_misbehaviour_no_host_is_asked_too_early_and_no_entry_that_was_held_is_lost(
    tmp_path: Path, migrated_file: Path
) -> None:
    crowd = Crowd(20, START)
    async with world(tmp_path, migrated_file, crowd) as here:
        await here.add(*crowd.urls(here.port))
        await here.live(DAY, step=5 * MINUTE)
        async with here.store.db.read() as c:
            kept = set((await c.exec_driver_sql("SELECT key FROM entries")).scalars())
    assert crowd.too_early == []
    assert {name for names in crowd.held.values() for name in names} - kept == set()
    assert {Manner(number % len(Manner)) for number in crowd.asked} == set(Manner)
    assert sum(crowd.asked.values()) > 20 * 10
