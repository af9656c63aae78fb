"""Files of kept pages: one a day and writer, only ever appended to; a writer that is killed loses its last page."""

import asyncio
import fcntl
import os
import platform
import re
from datetime import date
from itertools import count
from pathlib import Path
from typing import BinaryIO

import structlog

from pipeline.model import Entry, Response
from pipeline.store import records
from pipeline.store.pages import KeptAt
from pipeline.store.records import Kept

SUFFIX = ".warc.zst"
log = structlog.get_logger()


class PageFiles:
    """A directory of WARC files, `DAY-MACHINE-NUMBER.warc.zst`: a process takes the first that no other holds."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._machine = re.sub(r"[^A-Za-z0-9.]+", "-", platform.node()) or "localhost"
        self._file: BinaryIO | None = None
        self._name = ""
        self._day = ""
        self._writing = asyncio.Lock()

    async def keep(self, response: Response, entry: Entry, *, is_copy: bool = False) -> KeptAt | None:
        """Append a page and what its entry says; None, and an error in the log, where the disk refuses."""
        async with self._writing:
            try:
                return await asyncio.to_thread(self._append, response, entry, is_copy)
            except OSError as e:
                log.error("page not kept", url=response.url, directory=str(self._directory), error=e.strerror)
                return None

    async def read(self, at: KeptAt) -> Kept | None:
        """A page again; None: its file is gone, or damaged there."""
        return await asyncio.to_thread(self._read, at)

    async def remove_before(self, day: date) -> int:
        """Delete the files of earlier days; returns how many."""
        return await asyncio.to_thread(self._remove_before, day.isoformat())

    def close(self) -> None:
        """Let others append to our file."""
        if self._file is not None:
            self._file.close()
        self._file, self._day = None, ""

    def _append(self, response: Response, entry: Entry, is_copy: bool) -> KeptAt:
        file = self._of_day(response.received_at.date().isoformat())
        start = file.seek(0, os.SEEK_END)
        left = memoryview(records.pack(response, entry, is_copy=is_copy))
        try:
            while left:
                left = left[file.write(left) :]
        except OSError:
            file.truncate(start)
            raise
        return KeptAt(self._name, start)

    def _of_day(self, day: str) -> BinaryIO:
        """The file to append to; one that another process left cut is mended first."""
        if self._file is not None and day <= self._day:  # at midnight a page of yesterday may come late
            return self._file
        self.close()
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for number in count():
            name = f"{day}-{self._machine}-{number}{SUFFIX}"
            if (file := _held(self._directory / name)) is not None:
                self._file, self._name, self._day = file, name, day
                return file
        raise AssertionError("unreachable")

    def _read(self, at: KeptAt) -> Kept | None:
        try:
            with (self._directory / at.file).open("rb") as file:
                file.seek(at.offset)
                return records.read(file)
        except (OSError, *records.DAMAGES) as e:
            log.warning("kept page cannot be read", file=at.file, offset=at.offset, error=str(e) or type(e).__name__)
            return None

    def _remove_before(self, day: str) -> int:
        old = [path for path in self._directory.glob(f"????-??-??-*{SUFFIX}") if path.name < day]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


def _held(path: Path) -> BinaryIO | None:
    """A file that is ours alone until it is closed, whole to its end; None: it is another's, or no file of ours."""
    file = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR, 0o600), "r+b", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if (end := records.whole_bytes(file)) is not None:
            file.truncate(end)
            return file
    except BlockingIOError:
        pass
    except BaseException:
        file.close()
        raise
    file.close()
    return None
