"""What has to be done beside polling and ingesting, however many do these: alerts, hubs, and once a day the rest."""

import asyncio

import structlog

from pipeline import pushing
from pipeline.engine import Engine
from pipeline.entrypoints import wiring
from pipeline.entrypoints.alerts import AT_ONCE, AlertDuty
from pipeline.entrypoints.purging import cutoffs
from pipeline.entrypoints.stopping import DRAIN_S
from pipeline.pushing import HubDuty
from pipeline.queue.lane import Lane
from pipeline.queue.ticker import Ticker
from pipeline.settings import Settings

MAINTENANCE_EVERY_S = 24 * 3600.0
log = structlog.get_logger()


class Upkeep:
    """Alerts, hubs and maintenance of one process; if several do it, each piece is still done by one."""

    def __init__(self, engine: Engine, settings: Settings, alerting: AlertDuty) -> None:
        self._engine, self._settings, self._alerting = engine, settings, alerting
        self._alerts = Lane(alerting, AT_ONCE, engine.clock)
        self._hubs = Lane(HubDuty(engine), pushing.AT_ONCE, engine.clock)

    @property
    def errors(self) -> int:
        """How much of it failed in a way nobody expected."""
        return self._alerts.errors + self._hubs.errors

    def join(self, ticker: Ticker) -> None:
        """Have a ticker call it."""
        ticker.every(self._settings.alerts.tick_s, "alerts", self._alert)
        ticker.every(pushing.TICK_S, "hubs", self._hubs.nudge)
        ticker.every(MAINTENANCE_EVERY_S, "maintenance", self._maintain)

    async def drain(self) -> None:
        """Start nothing more, and let end what runs."""
        await asyncio.gather(self._alerts.drain(DRAIN_S), self._hubs.drain(DRAIN_S))

    async def _alert(self) -> None:
        await self._alerting.collect()
        await self._alerts.nudge()

    async def _maintain(self) -> None:
        await self._engine.store.db.optimize()
        await wiring.forget_old_pages(self._engine, self._settings)
        now = self._engine.clock.now()
        await self._engine.store.saved.forget(now)
        before = await cutoffs(self._engine.store, self._settings.retention, now)
        if purged := await self._engine.store.retention.purge(before, now):
            log.info("texts purged", articles=purged)
