"""The commands about stories: stories, stories show, split, merge, find."""

from typing import Annotated

import typer

from pipeline.entrypoints.cli.arguments import Country, Format, Since, Topic, Until, format_of, options, run
from pipeline.entrypoints.cli.arguments import show as print_rows

stories_app = typer.Typer(
    help="The reports of one event, by different outlets.", invoke_without_command=True, rich_markup_mode=None
)
StoryId = Annotated[int, typer.Argument(metavar="STORY", min=0, max=2**63 - 1)]


@stories_app.callback()
def stories(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    country: Country = None,
    topic: Topic = None,
    min_outlets: Annotated[int, typer.Option(min=1, help="The least number of sites that report.")] = 1,
    sort: Annotated[str, typer.Option(help="newest, size, or growth (in 24 hours; others are left out).")] = "newest",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows of a page.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Go on after the row that printed it.")] = None,
    chosen: Format = None,
) -> None:
    """Events that two or more reports tell of: title, first and newest report, outlets, families, countries, growth.

    Articles that are labelled defense or need review are reports; a story is as old as its newest one.
    """
    if context.invoked_subcommand is not None:
        return
    from pipeline.entrypoints import stories as telling

    narrowed = (tuple(country or ()), tuple(topic or ()))
    wanted = telling.Wanted(since, until, *narrowed, min_outlets, sort, limit, cursor)
    print_rows(telling.narrow(run(telling.listing(options(context), wanted)), format_of(chosen)), chosen)


@stories_app.command("show")
def show(context: typer.Context, story: StoryId, chosen: Format = None) -> None:
    """One story: who tells of it, and what each report shares with those before it."""
    from pipeline.entrypoints import stories as telling

    telling.print_story(run(telling.show(options(context), story)), format_of(chosen))


@stories_app.command("split")
def split(
    context: typer.Context,
    story: StoryId,
    article: Annotated[list[int], typer.Argument(metavar="ARTICLE...")],
    chosen: Format = None,
) -> None:
    """Take articles out of a story into one of their own; they are never joined again but by a person."""
    from pipeline.entrypoints import stories as telling

    print_rows([run(telling.split(options(context), story, article))], chosen)


@stories_app.command("merge")
def merge(
    context: typer.Context, story: Annotated[list[int], typer.Argument(metavar="STORY...")], chosen: Format = None
) -> None:
    """Make one story of several; the smallest id stays."""
    from pipeline.entrypoints import stories as telling

    print_rows([run(telling.merge(options(context), story))], chosen)


@stories_app.command("find")
def find(context: typer.Context, chosen: Format = None) -> None:
    """Let articles that are in no story find theirs: once after an upgrade from a schema before version 8.

    Ended early, it goes on from there when it is run again; on a terminal it shows how far it is.
    """
    from pipeline.entrypoints import stories as telling

    print_rows([run(telling.find(options(context)))], chosen)
