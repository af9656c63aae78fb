"""The pages that the daemon serves to people; scripts add keys, local times and live results."""

from collections.abc import Callable
from typing import Any

from starlette.routing import Route

from pipeline.engine import Engine
from pipeline.entrypoints.filling import Fillings
from pipeline.entrypoints.pages.article import Articles
from pipeline.entrypoints.pages.backfills import Backfills
from pipeline.entrypoints.pages.feeds import Feeds
from pipeline.entrypoints.pages.front import KINDS, Front
from pipeline.entrypoints.pages.screen import Screen
from pipeline.entrypoints.pages.searching import Searching
from pipeline.entrypoints.pages.world import World


def routes(engine: Engine, health: Callable[[], dict[str, Any]], fillings: Fillings) -> list[Route]:
    """Where each page is found."""
    screen = Screen(engine, health)
    front, searching = Front(engine, screen), Searching(engine, screen)
    articles, feeds = Articles(engine, screen), Feeds(engine, screen)
    backfills = Backfills(engine, screen, fillings)
    return [
        Route("/", front.front),
        Route("/search", searching.search),
        Route("/export.{form}", searching.export),
        Route("/saved", searching.save, methods=["POST"]),
        Route("/saved/{key}", searching.change, methods=["POST"]),
        Route("/articles/{key}", articles.article),
        Route("/articles/{key}", articles.label, methods=["POST"]),
        Route("/review", articles.review),
        Route("/review", articles.judge, methods=["POST"]),
        Route("/feeds", feeds.feeds),
        Route("/feeds", feeds.add, methods=["POST"]),
        Route("/feeds.opml", feeds.give_out),
        Route("/feeds/opml", feeds.take_in, methods=["POST"]),
        Route("/feeds/{key}", feeds.feed),
        Route("/feeds/{key}", feeds.change, methods=["POST"]),
        Route("/backfill", backfills.backfills),
        Route("/backfill", backfills.look, methods=["POST"]),
        Route("/backfill/look/{key}", backfills.counted),
        Route("/backfill/look/{key}", backfills.start, methods=["POST"]),
        Route("/backfill/{key}", backfills.backfill),
        Route("/backfill/{key}", backfills.change, methods=["POST"]),
        Route("/status", front.status),
        Route("/countries", World(engine, screen).countries),
        *(Route(f"/{kind}/{{name:path}}", front.tag, name=kind) for kind in KINDS),
        Route("/page.css", screen.file),
        Route("/static/{name:path}", screen.file),
    ]
