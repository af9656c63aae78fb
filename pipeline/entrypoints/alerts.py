"""Alerts: what saved searches found -> webhooks, e-mail, Slack; at least once, and once unless we die while sending."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from pipeline import backoff
from pipeline.clock import Clock
from pipeline.entrypoints import mail, messages
from pipeline.entrypoints.reading import to_query
from pipeline.entrypoints.saved import asked_of
from pipeline.errors import AlertError, CommandError, UsageError
from pipeline.query import Query
from pipeline.settings import Settings
from pipeline.settings.sections import AlertsSettings
from pipeline.store import Alert, Found, Saved, Store
from pipeline.web.hooks import Hooks

AT_ONCE = 4  # alerts that are being sent
log = structlog.get_logger()


class AlertDuty:
    """Looks for what saved searches found, and sends it; a lane's duty."""

    name = "alerts"

    def __init__(self, store: Store, hooks: Hooks, settings: AlertsSettings, clock: Clock) -> None:
        self._store = store
        self._hooks = hooks
        self._settings = settings
        self._clock = clock

    async def collect(self) -> int:
        """Put what was found since the last look in line; returns how many articles."""
        now, count = self._clock.now(), 0
        published_since = now - timedelta(days=self._settings.max_age_days)
        for saved in await self._store.saved.active():
            if query := await self._query(saved):
                count += await self._store.saved.collect(saved, query, now, published_since)
        return count

    async def claim(self, limit: int, busy: Collection[str]) -> Sequence[Alert]:
        """Take alerts that are due."""
        return await self._store.saved.claim(self._clock.now(), limit)

    async def next_claim_at(self) -> None:
        """What is due can be claimed at once."""

    def host(self, piece: Alert) -> str:
        """No pace is kept: these are the user's own addresses."""
        return ""

    async def do(self, piece: Alert) -> None:
        """Send an alert, and record what became of it."""
        saved = self._store.saved
        try:
            await self.send(piece)
        except AlertError as error:
            now = self._clock.now()
            log.warning("alert not sent", saved=piece.saved.name, channel=piece.channel, reason=error.reason)
            if not error.retryable or backoff.gave_up(piece.attempts):
                await saved.gave_up(piece.id, error.reason, now)
                return
            again_at = backoff.retry_at(piece.attempts, now, f"alert {piece.id}")
            await saved.failed(piece.id, error.reason, max(again_at, error.retry_at or again_at))
            return
        await saved.sent(piece.id, self._clock.now())
        log.info("alert sent", saved=piece.saved.name, channel=piece.channel, articles=len(piece.articles))

    async def give_back(self, piece: Alert, error: Exception) -> None:
        """It is due at once."""
        await self._store.saved.free(piece.id, self._clock.now())

    async def send(self, alert: Alert) -> None:
        """Send an alert by its channel.

        Raises:
            AlertError: it did not arrive, or cannot be sent with these settings.
        """
        known = await self._store.search.many(alert.articles)
        found = [known[key] for key in alert.articles if key in known]
        if alert.channel == "email":
            await self._mail(alert, found)
        elif alert.channel == "slack":
            await self._hooks.post(alert.saved.targets["slack"], messages.slack(alert, found), {})
        else:
            await self._post(alert, found)

    async def _mail(self, alert: Alert, found: Sequence[Found]) -> None:
        if not self._settings.smtp_host or not self._settings.smtp_from:
            raise AlertError(alert.saved.name, "no-smtp-settings", retryable=True)
        await mail.send(messages.email(alert, found, self._settings.smtp_from), self._settings)

    async def _post(self, alert: Alert, found: Sequence[Found]) -> None:
        secret = self._settings.webhook_secret
        if secret is None:
            raise AlertError(alert.saved.name, "no-webhook-secret", retryable=True)
        query = await self._query(alert.saved) or Query()
        body = messages.webhook(alert, found, query.asked.terms)
        signed = messages.signature(secret.get_secret_value(), body, self._clock.now())
        await self._hooks.post(alert.saved.targets["webhook"], body, signed)

    async def _query(self, saved: Saved) -> Query | None:
        """What a saved search asks today; None when that cannot be read any more, as of a feed that was removed."""
        try:
            return await to_query(self._store, asked_of(saved), self._clock.now())
        except (UsageError, CommandError) as error:
            log.error("saved search cannot be run", saved=saved.name, error=str(error))
            return None


@asynccontextmanager
async def open_alerts(settings: Settings, store: Store, clock: Clock) -> AsyncIterator[AlertDuty]:
    """What sends alerts, by the settings."""
    given = settings.alerts
    async with Hooks(given.allow_private, timedelta(seconds=given.timeout_s), clock) as hooks:
        yield AlertDuty(store, hooks, given, clock)
