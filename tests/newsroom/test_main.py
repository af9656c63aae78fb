"""The newsroom in a process of its own."""

import asyncio
import json
import signal
import sys

import httpx


async def test_the_process_prints_its_feeds_serves_them_and_ends_on_sigterm() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pipeline.newsroom", "--seed", "3", "--extra", "8", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    line = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    async with httpx.AsyncClient(trust_env=False) as client:
        statuses = [(await client.get(feed["url"])).status_code for feed in line["feeds"]]
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0
    assert statuses == [200] * 12
    assert len(line["origins"]) == 10
