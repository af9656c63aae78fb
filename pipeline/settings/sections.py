"""What each section of the settings holds; see config/pipeline.toml for what each key means."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

NOBODY = "defnews/0.1 (+https://example.org/set-your-contact-in-pipeline.toml)"
BASE_URL = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"  # of an address that is completed
CALLBACKS = "/websub/"  # below it hubs find us
LONGEST_S = 366 * 86_400  # seconds; what is longer is a mistake

Seconds = Annotated[float, Field(ge=0, le=LONGEST_S)]
Days = Annotated[int, Field(ge=0, le=36_525)]
SomeSeconds = Annotated[float, Field(gt=0, le=LONGEST_S)]


def _listed(value: Any) -> Any:
    """A list given by the environment: JSON, or separated by commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [part.strip() for part in value.split(",") if part.strip()]


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]


class Section(BaseModel):
    """A table of the TOML file; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PollSettings(Section):
    """[poll]."""

    interval_s: Seconds = 1800
    min_interval_s: Seconds = 600
    max_interval_s: Seconds = 86_400
    concurrency: int = Field(default=600, ge=1, le=1000)
    tick_s: SomeSeconds = 5


class IngestSettings(Section):
    """[ingest]."""

    concurrency: int = Field(default=60, ge=1, le=1000)
    tick_s: SomeSeconds = 2
    site_memory: bool = False  # these two make texts depend on the order of reading
    trust_feeds: bool = False


class WebSettings(Section):
    """[web]."""

    user_agent: str = Field(default=NOBODY, min_length=3)
    host_delay_s: Seconds = 5
    timeout_s: SomeSeconds = 30
    allow_private: Names = ()
    proxy: str | None = None


class ArchivesSettings(Section):
    """[archives]."""

    wayback: str = Field(default="https://web.archive.org", pattern=BASE_URL)
    gdelt: str = Field(default="https://api.gdeltproject.org/api/v2/doc/doc", pattern=BASE_URL)
    gdelt_query: str = ""


class PagesSettings(Section):
    """[pages]."""

    directory: str = ""  # "": pages are not kept
    keep_days: Days = 0  # 0: for ever


class RetentionSettings(Section):
    """[retention]."""

    defense_days: Days = 0  # texts are kept so long after they were stored; 0: for ever
    other_days: Days = 0
    feeds: dict[str, Days] = Field(default_factory=dict)  # by URL; goes before the label


class ComputeSettings(Section):
    """[compute]."""

    workers: int = Field(default=0, ge=0, le=256)
    deadline_s: SomeSeconds = 20
    recycle_after: int = Field(default=2000, ge=1)


class ClassifySettings(Section):
    """[classify]."""

    model: Path | None = None  # None: the one that ships
    threshold: float = Field(default=0.5, gt=0, lt=1)


class ReviewSettings(Section):
    """[review]."""

    low: float = Field(default=0.3, ge=0, le=1)
    high: float = Field(default=0.7, ge=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError("low lies above high")
        return self


def _for_a_header(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]*", value.get_secret_value()):
        raise ValueError("expected ASCII characters without spaces")
    return value


class SecondReaderSettings(Section):
    """[second_reader]."""

    url: str = Field(default="", pattern=r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?$")
    model: str = Field(default="", pattern=r"^\S*$")
    api_key: Annotated[SecretStr, AfterValidator(_for_a_header)] | None = None
    timeout_s: SomeSeconds = 20
    budget_a_day: int = Field(default=200, ge=0)
    max_characters: int = Field(default=2000, ge=1)

    @model_validator(mode="after")
    def _names_a_model(self) -> Self:
        if self.url and not self.model:
            raise ValueError("url needs a model")
        return self


def _address(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise ValueError("expected address:port")
    return value


def _lower(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


Token = Annotated[SecretStr, Field(min_length=16), AfterValidator(_for_a_header)]  # too long to be guessed


class ApiSettings(Section):
    """[api]."""

    listen: Annotated[str, AfterValidator(_address)] = "127.0.0.1:8317"
    hosts: Annotated[Names, AfterValidator(_lower)] = ()
    public_url: str = Field(default="", pattern=f"^$|{BASE_URL}")  # "": not reachable from outside
    token: Token | None = None
    read_token: Token | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Address and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def callback(self) -> str | None:
        """What the addresses begin with at which hubs reach us; None: nobody outside does."""
        return self.public_url.rstrip("/") + CALLBACKS if self.public_url else None


class AlertsSettings(Section):
    """[alerts]."""

    tick_s: SomeSeconds = 30
    timeout_s: SomeSeconds = 10
    max_age_days: int = Field(default=7, ge=1, le=36_525)
    allow_private: Names = ()
    webhook_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    smtp_host: str = Field(default="", pattern=r"^\S*$")
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr | None = None
    smtp_from: str = Field(default="", pattern=r"^([^\s@]+@[^\s@]+)?$")


class LogSettings(Section):
    """[log]."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"
