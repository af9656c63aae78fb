"""The commands about the database: db upgrade, check."""

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
