"""/metrics: the figures of `defnews status` and of this process, as Prometheus reads them."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.engine import Engine
from pipeline.store import Stats

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")  # others are counted as one
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds


class Metrics:
    """What is counted here, and what the database and the daemon say."""

    def __init__(self, engine: Engine, health: Callable[[], dict[str, Any]]) -> None:
        self._engine, self._health = engine, health
        self._requests = CollectorRegistry()
        self._seconds = Histogram(
            "defnews_http_request_seconds", "Answers over HTTP and how long each took", ("method", "status"),
            registry=self._requests, buckets=BUCKETS,
        )  # fmt: skip

    async def answer(self, _request: Request) -> Response:
        """All figures."""
        now = self._engine.clock.now()
        stats = await self._engine.store.stats.recent(now)
        feeds = await self._engine.store.stats.feeds_by_health()
        scraped = CollectorRegistry()
        pushed = await self._engine.store.subscriptions.by_state()
        scraped.register(_Gauges(stats, feeds, pushed, self._health()))
        return Response(generate_latest(scraped) + generate_latest(self._requests), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    def count(self, method: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._seconds.labels(method if method in METHODS else "other", str(status)).observe(seconds)


class Counted:
    """Stands before all else: counts what is answered."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        began, status = time.perf_counter(), 500

        async def counted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            if scope["type"] == "http":
                self._metrics.count(scope["method"], status, time.perf_counter() - began)


class _Gauges(Collector):
    """The figures of one moment."""

    def __init__(
        self, stats: Stats, feeds: Mapping[str, int], pushed: Mapping[str, int], health: Mapping[str, Any]
    ) -> None:
        self._stats, self._feeds, self._pushed, self._health = stats, feeds, pushed, health

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each figure with what it means."""
        stats, health = self._stats, self._health
        yield from self._single()
        yield _by("articles", "Articles stored, by label", "label", stats.labels)
        yield _by("entries", "Entries, by state, and by outcome when done", "state", stats.entries)
        yield _by("entry_reasons", "Entries that were dropped or wait, by reason", "reason", stats.reasons)
        yield _by("feeds", "Feeds that are not removed, by health", "health", self._feeds)
        yield _by("subscriptions", "Feeds that name a hub, by what it does (active: it pushes)", "state", self._pushed)
        yield _by("ticks", "How the daemon's duties ended since its start", "ended", health["ticks"])

    def _single(self) -> Iterator[GaugeMetricFamily]:
        stats, health = self._stats, self._health
        singles = {
            "articles_to_review": ("Articles that wait for a person", stats.needs_review),
            "articles_stored_last_day": ("Articles stored in the last 24 hours", stats.stored_last_day),
            "feeds_overdue": ("Feeds that are due and not polled yet", stats.feeds_overdue),
            "lag_seconds": ("How long the longest due entry has been waiting", stats.lag_s or 0),
            "network_down": ("Whether a machine reaches no host", int(stats.network_down_since is not None)),
            "tick_age_seconds": ("How long ago the daemon looked for work", health["tick_age_s"]),
            "unexpected_errors": ("Work that failed in a way nobody expected", health["unexpected_errors"]),
        }
        for name, (about, value) in singles.items():
            yield GaugeMetricFamily(f"defnews_{name}", about, value)
        if stats.last_poll_at:
            seconds = stats.last_poll_at.timestamp()
            yield GaugeMetricFamily("defnews_last_poll_timestamp_seconds", "When a feed was polled last", seconds)


def routes(metrics: Metrics) -> list[Route]:
    """Where they are found."""
    return [Route("/metrics", metrics.answer)]


def _by(name: str, about: str, label: str, counts: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"defnews_{name}", about, labels=(label,))
    for value, count in counts.items():
        family.add_metric((value,), count)
    return family
