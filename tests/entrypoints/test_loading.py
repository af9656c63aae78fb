"""A command loads what it needs: those that only ask the database wait for no parser, model or web client."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import Place, place

HEAVY = "alembic apscheduler fastapi feedparser httpx jinja2 numpy pypdf starlette trafilatura uvicorn"
WORDS = (
    "--version",
    "feeds list",
    "feeds export",
    "search jeju",
    "show 1",
    "stories",
    "search jeju --group story",
    "why https://x.example/",
    "status",
    "db check",
    "db purge --dry-run",
    "saved list",
)
LOADED = f"""
import os, sys
from pipeline.entrypoints.cli import main
for words in sys.argv[1:]:
    if os.fork() == 0:
        sys.argv[1:] = words.split()
        try:
            main()
        except SystemExit:
            pass
        loaded = (name for name in {HEAVY!r}.split() if name in sys.modules)
        print(f"loaded by {{words}}:", *loaded, file=sys.stderr)
        break
    os.wait()
"""


@pytest.fixture
def here(tmp_path: Path, migrated_file: Path) -> Place:
    here = place(tmp_path)
    shutil.copyfile(migrated_file, here.database)
    return here


def test_a_command_that_only_asks_the_database_loads_nothing_heavy(here: Place) -> None:
    environment = here.environment(DEFNEWS_LOG__LEVEL="error")
    command = [sys.executable, "-c", LOADED, *WORDS]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    told = [line for line in ended.stderr.splitlines() if line.startswith("loaded by ")]
    assert told == [f"loaded by {words}:" for words in WORDS]
