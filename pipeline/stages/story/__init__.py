"""Articles -> stories: reports of one event by different outlets, in different words, are one story.

`sketch` says what a report is about, `keys` and `probes` find what may be near it, `join` decides. A story is opened,
joined or merged, report by report; nothing that is not near is looked at.
"""

from pipeline.stages.story.joining import Because, Joined, Member, central, join
from pipeline.stages.story.sketches import Sketch, keys, probes, sketch

__all__ = ["Because", "Joined", "Member", "Sketch", "central", "join", "keys", "probes", "sketch"]
