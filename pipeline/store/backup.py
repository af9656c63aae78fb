"""A copy of a SQLite database that is consistent while others write to it."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from pipeline.errors import CommandError
from pipeline.store import schema
from pipeline.store.database import file_of


def backup(url: str, path: Path) -> int:
    """Write a copy to a new file, readable by its owner only; returns its bytes. It appears only when it is whole.

    Raises:
        CommandError: it is no SQLite database, the file exists, or it cannot be written.
        StoreError: the database cannot be opened.
    """
    file = file_of(url)
    if file is None:
        raise CommandError("PostgreSQL has its own: pg_dump --format=custom (or: defnews db copy sqlite:///FILE)")
    if path.exists():
        raise CommandError(f"{path} exists already")
    schema.require(url)
    partial = path.with_name(path.name + ".part")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(partial)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # all of it in the one file
        os.replace(partial, path)
        return path.stat().st_size
    except (OSError, sqlite3.Error) as e:
        raise CommandError(f"{path}: {e}") from e
    finally:
        partial.unlink(missing_ok=True)
