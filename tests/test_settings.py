"""Settings: what wins over what, what is refused and how, and what ships."""

import contextlib
import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline import settings, urls
from pipeline.errors import UsageError
from pipeline.model import Feed, FeedKind, FetchMode
from pipeline.settings import Settings, config_dir, load, load_feeds

SHIPPED = Path(__file__).parent.parent / "config"


@contextlib.contextmanager
def environment(**variables: str) -> Iterator[None]:
    """These variables, and nothing of the caller's own settings."""
    before = dict(os.environ)
    for name in before:
        if name.upper().startswith(settings.PREFIX):
            del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def read(directory: Path, toml: str = "", **variables: str) -> Settings:
    (directory / "pipeline.toml").write_text(toml)
    with environment(**variables):
        return load(directory)


def refusal(directory: Path, toml: str = "", **variables: str) -> str:
    """What is said of it, without the directory."""
    with pytest.raises(UsageError) as caught:
        read(directory, toml, **variables)
    return str(caught.value).replace(f"{directory}/", "")


# What wins


def test_without_file_and_environment_the_defaults_hold(tmp_path: Path) -> None:
    with environment():
        assert load(tmp_path) == Settings()


def test_a_key_of_the_file_wins_over_its_default_and_leaves_the_others(tmp_path: Path) -> None:
    read_one = read(tmp_path, "[poll]\ntick_s = 9\n")
    assert (read_one.poll.tick_s, read_one.poll.concurrency) == (9, 600)


def test_the_environment_wins_over_the_file_key_by_key(tmp_path: Path) -> None:
    toml = 'database_url = "sqlite:///file.db"\n[poll]\ntick_s = 9\nconcurrency = 3\n'
    found = read(tmp_path, toml, DEFNEWS_POLL__CONCURRENCY="7", defnews_database_url="sqlite:///env.db")
    assert (found.poll.concurrency, found.poll.tick_s, found.database_url) == (7, 9, "sqlite:///env.db")


@pytest.mark.parametrize(
    ("given", "names"),
    [
        pytest.param("10.0.0.0/8, news.example,", ("10.0.0.0/8", "news.example"), id="separated by commas"),
        pytest.param('["10.0.0.0/8", "a,b"]', ("10.0.0.0/8", "a,b"), id="JSON"),
        pytest.param("::1", ("::1",), id="one"),
        pytest.param("", (), id="empty"),
    ],
)
def test_a_list_is_given_by_the_environment_with_commas_or_as_json(
    tmp_path: Path, given: str, names: tuple[str, ...]
) -> None:
    toml = '[web]\nallow_private = ["x"]\n'
    assert read(tmp_path, toml, DEFNEWS_WEB__ALLOW_PRIVATE=given).web.allow_private == names
    assert read(tmp_path, toml).web.allow_private == ("x",)


def test_secrets_may_stand_in_files(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-of-a-good-length\n")
    (tmp_path / "url").write_text("postgresql://me:word@db/news\n")
    named = {"DEFNEWS_API__TOKEN_FILE": f"{tmp_path}/token", "DEFNEWS_DATABASE_URL_FILE": f"{tmp_path}/url"}
    found = read(
        tmp_path, 'database_url = "sqlite:///x"\n[api]\nlisten = "0.0.0.0:80"\ntoken = "a-token-of-the-file"\n', **named
    )
    assert found.api.token is not None
    assert (found.api.token.get_secret_value(), found.api.listen) == ("s3cret-of-a-good-length", "0.0.0.0:80")
    assert found.database_url == "postgresql://me:word@db/news"


def test_the_key_of_the_second_reader_is_a_secret_too(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-1\n")
    toml = '[second_reader]\nurl = "http://127.0.0.1:1/v1"\nmodel = "m"\n'
    for named in (
        {"DEFNEWS_SECOND_READER__API_KEY_FILE": f"{tmp_path}/key"},
        {"DEFNEWS_SECOND_READER__API_KEY": "sk-1"},
    ):
        found = read(tmp_path, toml, **named)
        assert found.second_reader.api_key is not None
        assert found.second_reader.api_key.get_secret_value() == "sk-1"
        assert (found.second_reader.url, "sk-1" in repr(found)) == ("http://127.0.0.1:1/v1", False)


def test_a_key_that_fits_no_header_is_refused_without_being_shown(tmp_path: Path) -> None:
    said = refusal(tmp_path, DEFNEWS_SECOND_READER__API_KEY="schlüssel")
    assert said.startswith("DEFNEWS_SECOND_READER__API_KEY: ")
    assert "schl" not in said


def test_a_variable_wins_over_the_file_that_holds_the_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from the file")
    found = read(tmp_path, DEFNEWS_API__TOKEN="given-by-variable", DEFNEWS_API__TOKEN_FILE=f"{tmp_path}/token")
    assert found.api.token is not None
    assert found.api.token.get_secret_value() == "given-by-variable"


def test_a_token_is_not_shown_with_the_settings(tmp_path: Path) -> None:
    assert "s3cret-of-a-good-length" not in repr(read(tmp_path, DEFNEWS_API__TOKEN="s3cret-of-a-good-length"))


@pytest.mark.parametrize(
    ("listen", "address"),
    [("127.0.0.1:8317", ("127.0.0.1", 8317)), ("[::1]:80", ("::1", 80)), ("localhost:0", ("localhost", 0))],
)
def test_an_address_is_read_with_its_port(tmp_path: Path, listen: str, address: tuple[str, int]) -> None:
    assert read(tmp_path, DEFNEWS_API__LISTEN=listen).api.address == address


# What is refused


@pytest.mark.parametrize(
    ("toml", "where"),
    [
        pytest.param("\nfoo = 1", "pipeline.toml, line 2: foo: ", id="unknown key on top"),
        pytest.param("\n\n[polls]\ntick_s = 1", "pipeline.toml, line 3: polls: ", id="unknown section"),
        pytest.param("[polls]", "pipeline.toml, line 1: polls: ", id="unknown empty section"),
        pytest.param("[poll]\n\n tick = 1", "pipeline.toml, line 3: poll.tick: ", id="unknown key"),
        pytest.param("[web]\ntick_s = 1\n[poll]\n", "pipeline.toml, line 2: web.tick_s: ", id="key of another section"),
        pytest.param('["poll"] # x\n"tick" = 1', "pipeline.toml, line 2: poll.tick: ", id="in quotes"),
        pytest.param(
            '[retention.feeds]\n"https://x.example/" = -1',
            "pipeline.toml, line 2: retention.feeds.",
            id="in a table of feeds",
        ),
        pytest.param("\npoll.tick = 1", "pipeline.toml, line 2: poll.tick: ", id="dotted"),
        pytest.param("\npoll = { tick = 1 }", "pipeline.toml, line 2: poll.tick: ", id="in an inline table"),
        pytest.param("poll = 3", "pipeline.toml, line 1: poll: ", id="a section that is none"),
        pytest.param("[poll]\nconcurrency = 0", "pipeline.toml, line 2: poll.concurrency: ", id="too small"),
        pytest.param("[poll]\ntick_s = 0", "pipeline.toml, line 2: poll.tick_s: ", id="no time at all"),
        pytest.param("[poll]\ninterval_s = -1", "pipeline.toml, line 2: poll.interval_s: ", id="negative"),
        pytest.param("[web]\nhost_delay_s = inf", "pipeline.toml, line 2: web.host_delay_s: ", id="endless"),
        pytest.param("[web]\ntimeout_s = nan", "pipeline.toml, line 2: web.timeout_s: ", id="no number"),
        pytest.param('[log]\nlevel = "loud"', "pipeline.toml, line 2: log.level: ", id="none of the choices"),
        pytest.param('[api]\nlisten = "8317"', "pipeline.toml, line 2: api.listen: ", id="address without port"),
        pytest.param('[api]\nlisten = "a:99999"', "pipeline.toml, line 2: api.listen: ", id="no such port"),
        pytest.param("[web]\nallow_private = [1]", "pipeline.toml, line 2: web.allow_private.0: ", id="in a list"),
        pytest.param('[second_reader]\nurl = "ftp://x"', "line 2: second_reader.url: ", id="no URL of ours"),
        pytest.param('[second_reader]\nurl = "http://x"', "line 1: second_reader: .*url needs a model", id="no model"),
        pytest.param("[poll]\nx = 1\n[web]\ny = 1", "web.y: ", id="the second of two"),
        pytest.param("[poll\n", "pipeline.toml: .*line 1", id="no TOML"),
        pytest.param("[poll]\ntick_s = 1\ntick_s = 2\n[web]", "pipeline.toml: .*line 3", id="twice"),
    ],
)
def test_what_a_file_gets_wrong_is_named_with_key_file_and_line(tmp_path: Path, toml: str, where: str) -> None:
    assert re.search(where, refusal(tmp_path, toml))


def test_a_misspelt_key_of_a_file_is_said_to_be_no_setting(tmp_path: Path) -> None:
    assert refusal(tmp_path, "[web]\nhost_delay = 5\n").endswith("line 2: web.host_delay: there is no such setting")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("DEFNEWS_POLL__CONCURRENCY", "many", id="no number"),
        pytest.param("DEFNEWS_POLL__CONCURENCY", "1", id="misspelt key"),
        pytest.param("DEFNEWS_POL__CONCURRENCY", "1", id="misspelt section"),
        pytest.param("DEFNEWS_POLL", "{}", id="a whole section"),
        pytest.param("DEFNEWS_POLL__CONCURRENCY__X", "1", id="too deep"),
        pytest.param("DEFNEWS_DATABASE", "x", id="half a name"),
        pytest.param("DEFNEWS_WEB__PROXY_FILE", "x", id="a file for what is no secret"),
        pytest.param("DEFNEWS_WEB__ALLOW_PRIVATE", "[1]", id="a list of something else"),
        pytest.param("DEFNEWS_WEB__ALLOW_PRIVATE", '["a', id="no JSON"),
    ],
)
def test_what_the_environment_gets_wrong_is_named_with_its_variable(tmp_path: Path, name: str, value: str) -> None:
    assert refusal(tmp_path, "[poll]\nconcurrency = 5\n", **{name: value}).startswith(f"{name}: ")


@pytest.mark.parametrize("name", ["DEFNEWS_API__TOKEN_FILE", "DEFNEWS_DATABASE_URL_FILE"])
def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, **{name: f"{tmp_path}/none"}).startswith(f"{name}: none: cannot be read")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").write_bytes(b"\xff\xfe")
    with environment(), pytest.raises(UsageError, match=r"pipeline\.toml: cannot be read"):
        load(tmp_path)


# Where it is looked for


def test_the_directory_is_the_named_one_then_the_environment_s_then_the_current_then_the_packaged(
    tmp_path: Path,
) -> None:
    named, by_environment, current, empty = (tmp_path / name for name in ("named", "environment", "current", "empty"))
    for directory in (named, by_environment, current / "config", empty):
        directory.mkdir(parents=True)
    (current / "config" / "pipeline.toml").touch()
    with contextlib.chdir(current), environment(DEFNEWS_CONFIG=str(by_environment)):
        assert (config_dir(named), config_dir()) == (named, by_environment)
    with contextlib.chdir(current), environment():
        assert config_dir().resolve() == current / "config"
    with contextlib.chdir(empty), environment(DEFNEWS_CONFIG=""):
        assert config_dir().resolve() == SHIPPED


def test_a_directory_that_is_named_and_not_there_is_refused(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with environment(), pytest.raises(UsageError, match="missing: there is no such"):
        config_dir(missing)
    with environment(DEFNEWS_CONFIG=str(missing)), pytest.raises(UsageError, match="missing: there is no such"):
        config_dir()


# What ships


def leaves(table: dict[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{path}.{key}" if path else key
        found.update(
            leaves(value, name)
            if isinstance(value, dict)
            else {name: list(value) if isinstance(value, tuple) else value}
        )
    return found


def test_the_shipped_file_holds_every_key_with_its_default() -> None:
    text = (SHIPPED / "pipeline.toml").read_text()
    with environment():
        defaults = leaves(Settings().model_dump())
    shipped = leaves(tomllib.loads(text))
    unset = {name for name, value in defaults.items() if value is None}
    assert shipped == {name: value for name, value in defaults.items() if name not in unset}
    section, named = "", set()
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif key := re.match(r"# (\w+) = ", line):
            named.add(f"{section}.{key[1]}")
    assert named == unset


def test_the_shipped_file_changes_nothing() -> None:
    with environment():
        assert load(SHIPPED) == Settings()


SHIPPED_FEEDS = tomllib.loads((SHIPPED / "feeds.toml").read_text())["feed"]


def test_the_shipped_feeds_are_many_different_and_of_every_kind() -> None:
    feeds = load_feeds(SHIPPED)
    assert len(feeds) == len(SHIPPED_FEEDS) >= 60
    assert {feed.kind for feed in feeds} == set(FeedKind)
    for names in ([urls.canonical_url(feed.url) for feed in feeds], [feed.title for feed in feeds]):
        assert [name for name, count in Counter(names).items() if count > 1] == []
    assert all(feed.lang and (feed.country is None or len(feed.country) == 2) for feed in feeds)


@pytest.mark.parametrize("table", SHIPPED_FEEDS, ids=lambda table: table["title"])
def test_a_shipped_feed_says_where_it_was_seen_or_that_it_is_unverified(table: dict[str, Any]) -> None:
    assert (isinstance(table.get("seen"), str) and len(table["seen"]) > 10) != (table.get("unverified") is True)
    assert not {"seen", "unverified"} <= table.keys()


# The feed list

FEED = '[[feed]]\nurl = "https://news.example/rss"\ntitle = "News"\n'


def feeds(directory: Path, toml: str) -> tuple[Feed, ...]:
    (directory / "feeds.toml").write_text(toml)
    return load_feeds(directory)


def test_without_a_feed_list_there_are_no_feeds(tmp_path: Path) -> None:
    assert load_feeds(tmp_path) == ()
    assert feeds(tmp_path, "# none\n") == ()


def test_a_feed_is_read_with_all_that_is_said_of_it(tmp_path: Path) -> None:
    said = 'kind = "wire"\ncountry = "KR"\nlang = "zh-Hant"\nfetch = "feed"\ninterval_s = 90\nunverified = true\n'
    more = 'include = ["tank"]\nexclude = ["sport", "golf"]\nheaders = { X-Key = "k" }\n'
    assert feeds(tmp_path, f"\r\n{FEED}{said}{more}\n{FEED}") == (
        Feed(
            id=0,
            url="https://news.example/rss",
            title="News",
            kind=FeedKind.WIRE,
            country="KR",
            lang="zh-Hant",
            fetch=FetchMode.FEED,
            interval=timedelta(seconds=90),
            headers=(("X-Key", "k"),),
            include=("tank",),
            exclude=("sport", "golf"),
        ),
        Feed(id=0, url="https://news.example/rss", title="News"),
    )


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        pytest.param('kind = "blog"', "kind: ", id="kind"),
        pytest.param('country = "Korea"', "country: ", id="country"),
        pytest.param('lang = "english"', "lang: ", id="language"),
        pytest.param('fetch = "all"', "fetch: ", id="fetch"),
        pytest.param("interval_s = 0", "interval_s: ", id="no interval"),
        pytest.param("interval_s = inf", "interval_s: ", id="endless interval"),
        pytest.param('colour = "red"', "colour: ", id="unknown key"),
        pytest.param('include = ["("]', r"'\(' is no regular expression", id="include"),
        pytest.param('exclude = ["a", "*"]', r"'\*' is no regular expression", id="exclude"),
        pytest.param("[feed.headers]\nX = 1", "headers.X: ", id="header"),
    ],
)
def test_a_wrong_value_of_a_feed_is_named_with_file_line_and_key(tmp_path: Path, wrong: str, problem: str) -> None:
    line = 8 + wrong.count("\n")
    with pytest.raises(UsageError, match=rf"feeds\.toml, line {line}: .*{problem}"):
        feeds(tmp_path, f"{FEED}\n{FEED}{wrong}\n\n{FEED}\nkind = 'wire'\n")


@pytest.mark.parametrize(
    "url", ["ftp://news.example/", "news.example/rss", "https://", "https://[::1/rss", "https://a.example:0/", " "]
)
def test_a_feed_needs_an_http_url_with_a_host(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match=r"feeds\.toml, line 2: url: "):
        feeds(tmp_path, FEED.replace("https://news.example/rss", url))


@pytest.mark.parametrize("line", ['url = "https://news.example/rss"\n', 'title = "News"\n'], ids=["URL", "title"])
def test_a_feed_needs_url_and_title(tmp_path: Path, line: str) -> None:
    with pytest.raises(UsageError, match=r"feeds\.toml, line 1: .*required"):
        feeds(tmp_path, FEED.replace(line, ""))


@pytest.mark.parametrize(
    "toml",
    [
        pytest.param(f"x = 1\n{FEED}", id="another key"),
        pytest.param(f"{FEED}[other]\n", id="another table"),
        pytest.param('[feed]\nurl = "https://news.example/rss"\n', id="one table"),
        pytest.param('feed = [{ url = "https://news.example/rss", title = "News" }]', id="inline tables"),
        pytest.param("feed = [1]", id="numbers"),
        pytest.param("feed = 1", id="a number"),
        pytest.param("[[feed]\n", id="no TOML"),
    ],
)
def test_a_list_that_is_written_otherwise_is_refused_with_its_file(tmp_path: Path, toml: str) -> None:
    with pytest.raises(UsageError, match=r"feeds\.toml: "):
        feeds(tmp_path, toml)
