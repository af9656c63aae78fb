"""What the flow works with: the store, the web, worker processes, a classifier, a clock."""

from dataclasses import dataclass

from pipeline.clock import Clock
from pipeline.compute import Compute
from pipeline.stages.classify import Classifier
from pipeline.stages.schedule import PollPolicy
from pipeline.store import PageFiles, Store
from pipeline.web import SecondReader, Web


@dataclass(frozen=True, slots=True)
class Engine:
    """What the flow works with."""

    store: Store
    web: Web
    compute: Compute
    classifier: Classifier
    clock: Clock
    policy: PollPolicy
    second_reader: SecondReader | None = None
    pages: PageFiles | None = None  # None: pages are not kept
    has_site_memory: bool = False
    trusts_feeds: bool = False
    callback: str | None = None  # what the addresses begin with at which hubs reach us; None: they cannot
