"""Settings: TOML and the environment -> frozen Settings; and the feed list of feeds.toml.

Looked for in --config DIR, DEFNEWS_CONFIG, ./config, then among the packaged defaults.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline import urls
from pipeline.errors import UsageError
from pipeline.model import Feed, FeedKind, FetchMode
from pipeline.settings.sections import (
    AlertsSettings,
    ApiSettings,
    ArchivesSettings,
    ClassifySettings,
    ComputeSettings,
    IngestSettings,
    LogSettings,
    PagesSettings,
    PollSettings,
    RetentionSettings,
    ReviewSettings,
    SecondReaderSettings,
    Section,
    SomeSeconds,
    WebSettings,
)

PREFIX = "DEFNEWS_"
_NOT_OURS = frozenset({"DEFNEWS_CONFIG", "DEFNEWS_DEV_DATA", "DEFNEWS_TEST_POSTGRES"})
_SECRETS = (  # may stand in a file named by <NAME>_FILE
    "DATABASE_URL", "API__TOKEN", "API__READ_TOKEN", "SECOND_READER__API_KEY", "ALERTS__WEBHOOK_SECRET",
    "ALERTS__SMTP_PASSWORD",
)  # fmt: skip
_SECRET_FILES = frozenset(f"{PREFIX}{name}_FILE".lower() for name in _SECRETS)

_HEADER = re.compile(r"\s*\[+([^\[\]]+)\]")
_ASSIGNMENT = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[^=#\["'])+)=""")
_FEED_HEADER = re.compile(r"^[ \t]*\[\[\s*feed\s*\]\]", re.MULTILINE)
_KEY = re.compile(r"""(?:"[^"]*"|'[^']*'|[^."'])+""")


class Settings(BaseSettings):
    """All settings; see config/pipeline.toml for what each means."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    database_url: str = "sqlite:///defnews.db"
    poll: PollSettings = PollSettings()
    ingest: IngestSettings = IngestSettings()
    web: WebSettings = WebSettings()
    archives: ArchivesSettings = ArchivesSettings()
    pages: PagesSettings = PagesSettings()
    retention: RetentionSettings = RetentionSettings()
    compute: ComputeSettings = ComputeSettings()
    classify: ClassifySettings = ClassifySettings()
    review: ReviewSettings = ReviewSettings()
    second_reader: SecondReaderSettings = SecondReaderSettings()
    api: ApiSettings = ApiSettings()
    alerts: AlertsSettings = AlertsSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over secret files, those over the TOML file (handed in as init values)."""
        return _Environment(settings_cls), _SecretFiles(settings_cls), init_settings


class _Environment(EnvSettingsSource):
    """The variables, without those that name secret files: they are no keys of a section."""

    def explode_env_vars(self, field_name: str, field: FieldInfo, env_vars: Mapping[str, str | None]) -> dict[str, Any]:
        """The variables of one section."""
        keys = {name: value for name, value in env_vars.items() if name not in _SECRET_FILES}
        return super().explode_env_vars(field_name, field, keys)


class _SecretFiles(PydanticBaseSettingsSource):
    """<NAME>_FILE: a secret that stands in a file."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not used: secrets are read all at once."""
        raise NotImplementedError

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in _SECRETS:
            variable = f"{PREFIX}{name}_FILE"
            if path := os.environ.get(variable):
                section, _, key = name.lower().rpartition("__")
                value = _read(Path(path), f"{variable}: ").strip()
                if section:
                    found.setdefault(section, {})[key] = value
                else:
                    found[key] = value
        return found


def config_dir(given: Path | None = None) -> Path:
    """The directory that holds pipeline.toml and feeds.toml.

    Raises:
        UsageError: one was named and does not exist.
    """
    named = given or (Path(os.environ["DEFNEWS_CONFIG"]) if os.environ.get("DEFNEWS_CONFIG") else None)
    if named is not None:
        if not named.is_dir():
            raise UsageError(f"{named}: there is no such configuration directory")
        return named
    packaged = Path(str(resources.files("pipeline")))
    candidates = (Path("config"), packaged / "config", packaged.parent / "config")
    return next((c for c in candidates if (c / "pipeline.toml").is_file()), packaged / "config")


def load(directory: Path | None = None) -> Settings:
    """Read the settings.

    Raises:
        UsageError: says which key, in which file and line.
    """
    path = config_dir(directory) / "pipeline.toml"
    text = _read(path) if path.exists() else ""
    _refuse_unknown_names()
    try:
        return Settings(**_parse_toml(text, path))
    except ValidationError as e:
        raise UsageError("; ".join(_explain(error, text, path) for error in e.errors())) from e


def load_feeds(directory: Path | None = None) -> tuple[Feed, ...]:
    """The feeds of feeds.toml; none when there is no such file.

    Raises:
        UsageError: says which feed, key, file and line.
    """
    path = config_dir(directory) / "feeds.toml"
    if not path.exists():
        return ()
    text = _read(path)
    data = _parse_toml(text, path)
    tables = data.pop("feed", [])
    if data or not isinstance(tables, list):
        raise UsageError(f"{path}: only [[feed]] tables may stand in it, not {', '.join(data) or 'feed ='}")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if _FEED_HEADER.match(line)]
    if len(lines) != len(tables):
        raise UsageError(f"{path}: each feed begins with a line [[feed]]")
    return tuple(_feed(table, text, line, path) for table, line in zip(tables, lines, strict=True))


def _feed_url(value: str) -> str:
    if urls.absolute_url(value) != value:
        raise ValueError("expected an http(s) URL")
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as e:
        raise ValueError(f"{e.pattern!r} is no regular expression: {e}") from e
    return value


Pattern = Annotated[str, AfterValidator(_pattern)]


class _FeedTable(Section):
    url: Annotated[str, AfterValidator(_feed_url)]
    title: str = Field(min_length=1)
    kind: FeedKind = FeedKind.GENERAL
    country: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    lang: str | None = Field(default=None, pattern="^[a-z]{2,3}(-[A-Za-z0-9]+)*$")
    fetch: FetchMode = FetchMode.PAGE
    interval_s: SomeSeconds | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    include: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()
    seen: str | None = None  # where in public material the URL was found
    unverified: bool = False  # nobody has seen it answer


def _feed(table: Mapping[str, Any], text: str, line: int, path: Path) -> Feed:
    """The feed of the table that begins in a line of the text."""
    try:
        read = _FeedTable(**table)
    except ValidationError as e:
        raise UsageError("; ".join(_explain_feed(error, text, line, path) for error in e.errors())) from e
    interval = None if read.interval_s is None else timedelta(seconds=read.interval_s)
    kept = read.model_dump(include={"url", "title", "kind", "country", "lang", "fetch", "include", "exclude"})
    return Feed(id=0, interval=interval, headers=tuple(read.headers.items()), **kept)


def _explain_feed(error: Any, text: str, line: int, path: Path) -> str:
    keys = [str(part) for part in error["loc"]]
    from_there = "".join(text.splitlines(keepends=True)[line - 1 :])
    offset = (_line_of(["feed", *keys], _first_table(from_there)) or 1) - 1
    return f"{path}, line {line + offset}: {'.'.join(keys)}: {_problem(error)}"


def _first_table(text: str) -> str:
    """The first [[feed]] of a text, to the next one."""
    further = _FEED_HEADER.search(text, 1)
    return text[: further.start()] if further else text


def _refuse_unknown_names() -> None:
    """A misspelt variable is an error, not a silent default."""
    known = set(_NOT_OURS) | {name.upper() for name in _SECRET_FILES}
    known |= {PREFIX + "__".join(path).upper() for path in _paths(Settings)}
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise UsageError(f"{name}: there is no such setting")


def _paths(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from ((name, *rest) for rest in _paths(kind))
        else:
            yield (name,)


def _explain(error: Any, text: str, path: Path) -> str:
    keys = [str(part) for part in error["loc"]]
    given = {name.upper() for name in os.environ}
    for depth in range(1, len(keys) + 1):
        if (name := PREFIX + "__".join(keys[:depth]).upper()) in given:
            return f"{name}: {_problem(error)}"
    where = f"{path}, line {line}" if (line := _line_of(keys, text)) else str(path)
    return f"{where}: {'.'.join(keys)}: {_problem(error)}"


def _problem(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such setting"
    return str(error["msg"]).removeprefix("Value error, ")


def _line_of(keys: list[str], text: str) -> int | None:
    """The line of a TOML text that names a key, or else the innermost table around it."""
    section: list[str] = []
    found, depth = None, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            path = section = _names(header[1])
        elif assignment := _ASSIGNMENT.match(line):
            path = [*section, *_names(assignment[1])]
        else:
            continue
        if len(path) > depth and path == keys[: len(path)]:
            found, depth = number, len(path)
    return found


def _names(dotted: str) -> list[str]:
    return [part.strip(" \t\"'") for part in _KEY.findall(dotted)]


def _parse_toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise UsageError(f"{path}: {e}") from e


def _read(path: Path, named_by: str = "") -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f"{named_by}{path}: cannot be read: {e}") from e
