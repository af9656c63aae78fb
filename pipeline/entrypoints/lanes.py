"""The lanes of polling and ingesting of one process; the daemon's ticker nudges them, or a scheduler elsewhere."""

import asyncio

from pipeline.engine import Engine
from pipeline.entrypoints.stopping import DRAIN_S
from pipeline.ingest import IngestDuty
from pipeline.polling import PollDuty
from pipeline.queue.lane import Lane
from pipeline.settings import Settings
from pipeline.store import Run


class Lanes:
    """Polling and ingesting."""

    def __init__(self, engine: Engine, run: Run, settings: Settings) -> None:
        self._duties = polling, ingesting = PollDuty(engine, run.id), IngestDuty(engine, run.id)
        self.polling = Lane(polling, settings.poll.concurrency, engine.clock)
        self.ingesting = Lane(ingesting, settings.ingest.concurrency, engine.clock)

    @property
    def counts(self) -> dict[str, int]:
        """What was done since the start."""
        polling, ingesting = self._duties
        return dict(polling.counts + ingesting.counts)

    @property
    def errors(self) -> int:
        """How much failed in a way nobody expected."""
        return self.polling.errors + self.ingesting.errors

    async def drain(self) -> None:
        """Start nothing more, and let end what runs."""
        await asyncio.gather(self.polling.drain(DRAIN_S), self.ingesting.drain(DRAIN_S))
