"""What feeds are trusted with: it comes with the entries of polls, and goes back with their endings."""

from dataclasses import replace
from datetime import timedelta

from pipeline.model import Entry, FeedTrust, Outcome
from pipeline.store import Ending, PollEnding, Run, Store, Work
from tests import make
from tests.make import AT


async def polled(store: Store, run: Run, entry: Entry) -> Work:
    """Let the one feed bring an entry, and claim it."""
    await store.feeds.add([make.feed()], AT)
    ((feed, _),) = await store.feeds.claim(run.id, AT + timedelta(days=30), 1)
    await store.feeds.finish(PollEnding(feed, run.id, make.state(next_poll_at=AT), AT, (entry,)))
    (work,) = await store.work.claim(run.id, AT, 10)
    return work


async def test_what_a_feed_is_trusted_with_is_remembered_from_one_entry_to_the_next(store: Store) -> None:
    run = await store.runs.start("poll", AT)
    seen = []
    for number, trust in enumerate((FeedTrust(3), None, FeedTrust(0, is_doubted=True, unchecked=7)), 1):
        work = await polled(store, run, make.entry(number))
        seen.append(work.lead.trust)
        ending = Ending(work, AT, Outcome.STORED, make.article(number), make.verdict())
        await store.endings.put(replace(ending, trust=trust))
    seen.append((await polled(store, run, make.entry(9))).lead.trust)
    assert seen == [FeedTrust(), FeedTrust(3), FeedTrust(3), FeedTrust(0, is_doubted=True, unchecked=7)]
