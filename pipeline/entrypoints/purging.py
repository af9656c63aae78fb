"""`defnews db purge`, and what the daemon does once a day: texts that were kept as long as the settings want go."""

from datetime import datetime, timedelta
from typing import Any

from pipeline.clock import SystemClock
from pipeline.entrypoints.options import Options
from pipeline.model import Label
from pipeline.settings.sections import RetentionSettings
from pipeline.store import Cutoffs, Store, open_store


async def cutoffs(store: Store, settings: RetentionSettings, now: datetime) -> Cutoffs:
    """Before which moments articles must have been stored to be purged.

    Raises:
        CommandError: the settings name a feed that there is not.
    """
    by_label = {Label.DEFENSE: settings.defense_days, Label.OTHER: settings.other_days}
    feeds = {}
    for name, days in settings.feeds.items():
        for row in await store.feeds.named((name,), with_removed=True):
            feeds[row.feed.id] = now - timedelta(days=days) if days else None
    return Cutoffs({label.value: now - timedelta(days=days) for label, days in by_label.items() if days}, feeds)


async def purge(options: Options, *, is_dry: bool) -> dict[str, Any]:
    """Purge what the settings no longer want, or only count it."""
    settings, now = options.settings(), SystemClock().now()
    async with await open_store(settings.database_url) as store:
        before = await cutoffs(store, settings.retention, now)
        due = await store.retention.due(before)
        return {"due": due, "purged": 0 if is_dry else await store.retention.purge(before, now)}
