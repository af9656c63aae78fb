"""A simulated internet with known truth, for the demo, the tests and the benchmarks.

texts.py, articles/   original articles with labels         filler.py    any number of further texts, for volume
sites.py              ten sites and their feeds             room.py      texts placed on sites and dated: the truth
feeds.py, sitemaps.py feeds in six formats, sitemaps        layouts.py   pages in six layouts (templates/, chrome.toml)
past.py               what sites keep of their past         documents.py what every path holds
elsewhere.py          what others keep of all sites         server.py    real HTTP/1.1 on loopback, one address a site
faults.py             ways to misbehave on demand           __main__.py  the newsroom in a process of its own

It shares no code with the rest of the package: what is tested must not test itself.
"""

from pipeline.newsroom.faults import Fault, FaultKind
from pipeline.newsroom.room import Newsroom, RoomArticle, RoomFeed
from pipeline.newsroom.server import Seen, Server, serve
from pipeline.newsroom.texts import TOPICS, Text

__all__ = [
    "TOPICS",
    "Fault",
    "FaultKind",
    "Newsroom",
    "RoomArticle",
    "RoomFeed",
    "Seen",
    "Server",
    "Text",
    "serve",
]
