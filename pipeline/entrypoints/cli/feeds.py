"""The commands about the feed list: feeds list, add, remove, enable, disable, check, import, export."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.entrypoints.cli.arguments import Format, Names, options, run, show
from pipeline.errors import UsageError

feeds_app = typer.Typer(help="The feed list with its health.", no_args_is_help=True, rich_markup_mode=None)


@feeds_app.command("list")
def feeds_list(context: typer.Context, chosen: Format = None) -> None:
    """All feeds with state, next poll and the reason for it."""
    from pipeline.entrypoints import feeds

    show(run(feeds.listing(options(context))), chosen)


@feeds_app.command("add")
def feeds_add(
    context: typer.Context,
    url: str,
    title: Annotated[str | None, typer.Option()] = None,
    kind: Annotated[str, typer.Option(help="trade, official, wire, general or thinktank.")] = "general",
    country: Annotated[str | None, typer.Option(help="ISO 3166-1 alpha-2.")] = None,
    lang: Annotated[str | None, typer.Option(help="BCP 47.")] = None,
    chosen: Format = None,
) -> None:
    """Add a feed by its URL, or by that of its site."""
    from pipeline.entrypoints import asking
    from pipeline.model import FeedKind

    if kind not in list(FeedKind):
        raise UsageError(f"--kind: {kind!r}: expected {', '.join(FeedKind)}")
    new = asking.new_feed(url, title, FeedKind(kind), country, lang)
    show([run(asking.add(options(context), new))], chosen)


def _change(context: typer.Context, named: list[str], to: str, chosen: str | None) -> None:
    from pipeline.entrypoints import feeds

    show(run(feeds.change(options(context), tuple(named), to)), chosen)


@feeds_app.command("remove")
def feeds_remove(context: typer.Context, feed: list[str], chosen: Format = None) -> None:
    """Poll feeds no more; their articles stay."""
    _change(context, feed, "removed", chosen)


@feeds_app.command("enable")
def feeds_enable(context: typer.Context, feed: list[str], chosen: Format = None) -> None:
    """Poll feeds again."""
    _change(context, feed, "enabled", chosen)


@feeds_app.command("disable")
def feeds_disable(context: typer.Context, feed: list[str], chosen: Format = None) -> None:
    """Pause feeds."""
    _change(context, feed, "disabled", chosen)


@feeds_app.command("check")
def feeds_check(context: typer.Context, feed: Annotated[Names, typer.Argument()] = None, chosen: Format = None) -> None:
    """Ask feeds now, storing nothing: which answer, what with, and when they are polled next and why."""
    from pipeline.entrypoints import asking

    show(run(asking.check(options(context), tuple(feed or ()))), chosen)


@feeds_app.command("import")
def feeds_import(
    context: typer.Context, path: Annotated[Path, typer.Argument(metavar="OPML")], chosen: Format = None
) -> None:
    """Add the feeds of an OPML file; its folders become tags."""
    from pipeline.entrypoints import feeds

    show(run(feeds.take_in(options(context), path)), chosen)


@feeds_app.command("export")
def feeds_export(context: typer.Context) -> None:
    """Print all feeds as OPML, in folders by their tags."""
    from pipeline.entrypoints import feeds

    typer.echo(run(feeds.give_out(options(context))), nl=False)
