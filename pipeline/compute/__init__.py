"""Where computing happens: a pool of worker processes beside the event loop."""

from pipeline.compute.pool import Compute

__all__ = ["Compute"]
