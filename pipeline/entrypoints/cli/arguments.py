"""What commands share: the options that several take, and how a command starts and prints."""

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from pipeline.errors import UsageError

Names = list[str] | None
Format = Annotated[str | None, typer.Option("--format", help="table, json, jsonl or csv; a table on a terminal.")]
Label = Annotated[Names, typer.Option(help="defense, other or review; may be repeated, as all filters.")]
Topic = Annotated[Names, typer.Option(help="A topic's code: operations, conflict, weapons, nuclear ...")]
Country = Annotated[Names, typer.Option(help="A country that is involved: its ISO 3166-1 alpha-2 code, such as KR.")]
Entity = Annotated[Names, typer.Option(help="A weapon, unit, exercise or organisation by name, such as B-52H.")]
FeedName = Annotated[Names, typer.Option("--feed", help="A feed's id, URL or title.")]
Kind = Annotated[Names, typer.Option(help="trade, official, wire, general or thinktank.")]
Site = Annotated[Names, typer.Option(help="A registered domain, such as yna.co.kr.")]
Lang = Annotated[Names, typer.Option(help="A language, such as en.")]
Since = Annotated[str | None, typer.Option(help="A date (UTC), RFC 3339 time, or age such as 36h or 7d.")]
Until = Annotated[str | None, typer.Option(help="The same; a date includes that day.")]
MinScore = Annotated[float | None, typer.Option(min=0, max=1, help="The least score.")]
Teaser = Annotated[
    bool | None,
    typer.Option(
        "--teaser/--no-teaser", help="Only texts that are just a beginning, the rest being paid for; or none."
    ),
]
Words = Annotated[
    str | None, typer.Argument(help='Words, "phrases", AND, OR, -not, prefix*, (groups), country:KR and other fields.')
]


def _asked(
    words: Words = None,
    label: Label = None,
    topic: Topic = None,
    country: Country = None,
    entity: Entity = None,
    feed: FeedName = None,
    kind: Kind = None,
    site: Site = None,
    lang: Lang = None,
    since: Since = None,
    until: Until = None,
    min_score: MinScore = None,
    teaser: Teaser = None,
) -> Any:
    from pipeline.entrypoints import reading

    many = (tuple(given or ()) for given in (label, topic, country, entity, feed, kind, site, lang))
    return reading.Asked(words, reading.Many(*many), since, until, min_score, teaser)


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose `asked` is made of the words and filters that stand on the command line."""
    shared = inspect.signature(_asked).parameters
    parameters = [
        parameter
        for own in inspect.signature(command).parameters.values()
        for parameter in (shared.values() if own.name == "asked" else (own,))
    ]

    @functools.wraps(command, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def called(**given: Any) -> None:
        asked = _asked(**{name: given.pop(name) for name in shared})
        command(asked=asked, **given)

    keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    called.__signature__ = inspect.Signature(keyword_only)  # type: ignore[attr-defined]
    return called


def options(context: typer.Context) -> Any:
    """What stood before the command."""
    from pipeline.entrypoints.options import Options

    return Options(*context.find_root().obj)


def run(main: Any) -> Any:
    """Run a command to its end, or until a signal."""
    from pipeline.entrypoints.options import run_async

    return run_async(main)


def format_of(chosen: str | None) -> Any:
    """The chosen format; None: what suits where it is printed.

    Raises:
        UsageError: there is none of that name.
    """
    from pipeline.entrypoints import output

    try:
        return output.Format(chosen) if chosen else None
    except ValueError as e:
        raise UsageError(f"--format: {chosen!r}: expected table, json, jsonl or csv") from e


def suited(chosen: str | None) -> Any:
    """The chosen format, else what suits stdout.

    Raises:
        UsageError: there is none of that name.
    """
    from pipeline.entrypoints import output

    return format_of(chosen) or output.suited(sys.stdout)


def show(rows: Any, chosen: str | None) -> None:
    """Print a listing."""
    from pipeline.entrypoints import output

    output.show(rows, format_of(chosen))
