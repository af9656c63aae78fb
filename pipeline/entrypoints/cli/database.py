"""The commands about the database: db upgrade, check, purge."""

from typing import Annotated

import typer

from pipeline.entrypoints.cli.arguments import Format, options, run, show

db_app = typer.Typer(help="The database's schema.", no_args_is_help=True, rich_markup_mode=None)


@db_app.command("upgrade")
def db_upgrade(context: typer.Context) -> None:
    """Bring the schema to this version, making the database if it is missing."""
    from pipeline.entrypoints import database

    typer.echo(database.upgrade(options(context)), err=True)


@db_app.command("check")
def db_check(context: typer.Context, chosen: Format = None) -> None:
    """The schema's version and the invariants of the data."""
    from pipeline.entrypoints import database

    rows = run(database.check(options(context)))
    show(rows, chosen)
    if not all(row["holds"] for row in rows):
        raise typer.Exit(1)


@db_app.command("purge")
def db_purge(
    context: typer.Context,
    is_dry: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    chosen: Format = None,
) -> None:
    """Delete the texts that were kept as long as [retention] wants; URLs, titles, times and verdicts stay."""
    from pipeline.entrypoints import purging

    show([run(purging.purge(options(context), is_dry=is_dry))], chosen)
