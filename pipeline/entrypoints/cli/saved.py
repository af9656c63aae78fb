"""The commands about saved searches: saved list, add, show, test, pause, resume, remove."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from pipeline.entrypoints.cli import arguments
from pipeline.entrypoints.cli.arguments import Format, filtered, options, run
from pipeline.errors import CommandError

saved_app = typer.Typer(
    help="Searches that are kept, and tell what they find.", no_args_is_help=True, rich_markup_mode=None
)
Name = Annotated[str, typer.Argument(help="What it is called.")]


@saved_app.command("list")
def saved_list(context: typer.Context, chosen: Format = None) -> None:
    """All saved searches, and what became of their alerts."""
    from pipeline.entrypoints import saved

    arguments.show(run(saved.listing(options(context))), chosen)


@saved_app.command("add")
@filtered
def saved_add(
    context: typer.Context,
    name: Name,
    asked: Any,
    webhook: Annotated[str | None, typer.Option(help="A URL that gets signed JSON.")] = None,
    email: Annotated[str | None, typer.Option(help="An address that gets e-mail.")] = None,
    slack: Annotated[str | None, typer.Option(help="The URL of an incoming webhook of Slack, or one like it.")] = None,
    chosen: Format = None,
) -> None:
    """Save a search; `defnews run` sends what it finds from now on."""
    from pipeline.entrypoints import saved

    targets = {"webhook": webhook, "email": email, "slack": slack}
    arguments.show([run(saved.add(options(context), name, asked, targets))], chosen)


@saved_app.command("show")
def saved_show(
    context: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows of a page.")] = 20,
    chosen: Format = None,
) -> None:
    """What a saved search finds now, newest first."""
    from pipeline.entrypoints import reading, saved

    given = options(context)
    asked = replace(run(saved.asked_by_name(given, name)), limit=limit)
    arguments.show(reading.narrow(run(reading.search(given, asked)), chosen), chosen)


@saved_app.command("test")
def saved_test(context: typer.Context, name: Name, chosen: Format = None) -> None:
    """Send the newest articles that it finds to whom it tells, now."""
    from pipeline.entrypoints import saved

    rows = run(saved.test(options(context), name))
    arguments.show(rows, chosen)
    if not all(row["is_sent"] for row in rows):
        raise CommandError("not every alert arrived")


@saved_app.command("pause")
def saved_pause(context: typer.Context, name: Name) -> None:
    """Send nothing until it is resumed."""
    _change(context, name, "pause")


@saved_app.command("resume")
def saved_resume(context: typer.Context, name: Name) -> None:
    """Go on with what is stored from now on."""
    _change(context, name, "resume")


@saved_app.command("remove")
def saved_remove(context: typer.Context, name: Name) -> None:
    """Forget it, with alerts that wait."""
    _change(context, name, "remove")


def _change(context: typer.Context, name: str, what: str) -> None:
    from pipeline.entrypoints import saved

    run(saved.change(options(context), name, what))
