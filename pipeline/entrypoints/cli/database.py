"""The commands about the database: db upgrade, check, reindex, purge, backup, copy."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.entrypoints.cli.arguments import Format, options, run, show

db_app = typer.Typer(help="The database: its schema, and copies.", no_args_is_help=True, rich_markup_mode=None)


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


@db_app.command("reindex")
def db_reindex(
    context: typer.Context,
    is_anew: Annotated[bool, typer.Option("--anew", help="Empty the index first: make all of it again.")] = False,
    chosen: Format = None,
) -> None:
    """Index the texts that search does not know; once stopped, the same command goes on (without --anew)."""
    from pipeline.entrypoints import database

    show([run(database.reindex(options(context), is_anew=is_anew))], chosen)


@db_app.command("purge")
def db_purge(
    context: typer.Context,
    is_dry: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    chosen: Format = None,
) -> None:
    """Delete the texts that were kept as long as [retention] wants; URLs, titles, times and verdicts stay."""
    from pipeline.entrypoints import purging

    show([run(purging.purge(options(context), is_dry=is_dry))], chosen)


@db_app.command("backup")
def db_backup(context: typer.Context, file: Annotated[Path, typer.Argument(help="A file that is new.")]) -> None:
    """Write a consistent copy of the SQLite database, also while others use it."""
    from pipeline.entrypoints import database

    typer.echo(database.backup(options(context), file), err=True)


@db_app.command("copy")
def db_copy(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="sqlite:///FILE or postgresql://USER@HOST/NAME, without articles.")],
    chosen: Format = None,
) -> None:
    """Copy everything to another database, and compare; all of it arrives, or nothing."""
    from pipeline.entrypoints import database

    show(run(database.copy(options(context), url)), chosen)
