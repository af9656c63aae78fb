"""A day of a thousand misbehaving feeds on loopback: was any host asked too early, is any entry lost that a feed held?

Simulated time; real web client, pace, poller and database (SQLite). The feeds, their fourteen manners, and the record
of what they allowed and held are those of the soak among the tests. There is no peer: both figures are absolute.
"""

import argparse
import asyncio
import json
import logging
import os
import platform
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).parent.parent))

from pipeline.store import schema
from tests.politeness.crowd import START, Crowd
from tests.politeness.world import DAY, world

FEEDS, QUICK_FEEDS = 1_000, 56
STEP = timedelta(minutes=5)  # how often the poller looks at what is due


async def soak(feeds: int, directory: Path) -> dict[str, int]:
    """Live through the day; returns counts."""
    migrated = directory / "migrated.db"
    schema.upgrade(f"sqlite:///{migrated}")
    crowd = Crowd(feeds, START)
    async with world(directory, migrated, crowd) as here:
        await here.add(*crowd.urls(here.port))
        await here.live(DAY, step=STEP)
        async with here.store.db.read() as c:
            kept = set((await c.exec_driver_sql("SELECT key FROM entries")).scalars())
            gaps = (await c.exec_driver_sql("SELECT count(*) FROM gaps")).scalar_one()
        held = {name for names in crowd.held.values() for name in names}
        for line in crowd.too_early[:10]:
            print(line, file=sys.stderr)
        return {
            "requests": len(here.requests),
            "too_early": len(crowd.too_early),
            "held": len(held),
            "lost": len(held - kept),
            "gaps": int(gaps),
        }


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help=f"{QUICK_FEEDS} feeds")
    feeds = QUICK_FEEDS if options.parse_args().quick else FEEDS
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        counts = asyncio.run(soak(feeds, Path(directory)))
    print(f"{feeds} feeds, 24 simulated hours in {time.perf_counter() - started:.0f} s")
    for name, count in counts.items():
        print(f"  {name:<10} {count:>8}")
    figures = {
        name: {"ours": counts[name], "peer": None, "ratio": None, "reach": 0, "holds": counts[name] == 0}
        for name in ("too_early", "lost")
    }
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "soak", "figures": figures, "machine": machine}))
    return 0 if all(figure["holds"] for figure in figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
