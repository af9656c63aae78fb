"""A command loads what it needs: those that only ask the database wait for no parser, model or web client."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import Place, place

HEAVY = "alembic apscheduler fastapi feedparser httpx jinja2 numpy pypdf starlette trafilatura uvicorn"
LOADED = f"""
import sys
from pipeline.entrypoints.cli import main
try:
    main()
except SystemExit:
    pass
print(*(name for name in {HEAVY!r}.split() if name in sys.modules), file=sys.stderr)
"""


@pytest.fixture
def here(tmp_path: Path, migrated_file: Path) -> Place:
    here = place(tmp_path)
    shutil.copyfile(migrated_file, here.database)
    return here


@pytest.mark.parametrize(
    "words",
    [
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
    ],
)
def test_a_command_that_only_asks_the_database_loads_nothing_heavy(words: str, here: Place) -> None:
    command = [sys.executable, "-c", LOADED, *words.split()]
    environment = here.environment(DEFNEWS_LOG__LEVEL="error")
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ended.stderr.splitlines()[-1] == ""
