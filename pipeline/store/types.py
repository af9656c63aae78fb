"""Column types that mean the same on SQLite and PostgreSQL.

What comes out of columns passes `result_processor`, a plain function: a claim of feeds reads twenty thousand values.
"""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import zstandard
from sqlalchemy import BigInteger, Boolean, DateTime, Dialect, Float, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.sqlite import REAL
from sqlalchemy.types import TypeDecorator, TypeEngine

Id = BigInteger().with_variant(Integer(), "sqlite")
Real = Float().with_variant(REAL(), "sqlite")
Processor = Callable[[Any], Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_decoded = json.JSONDecoder().raw_decode  # what we wrote: nothing stands around it
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """A UTC moment: timestamptz on PostgreSQL, integer microseconds since 1970 on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The dialect's own column type."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """UTC-aware in; a naive datetime is a bug."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        return (value - _EPOCH) // _MICROSECOND if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        """UTC-aware out."""
        return _since_epoch if dialect.name == "sqlite" else _in_utc


class Json(TypeDecorator[Any]):
    """A JSON value: jsonb on PostgreSQL, text on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The dialect's own column type."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else JSONB(none_as_null=True))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Python value in; None is SQL NULL."""
        if value is None or dialect.name != "sqlite":
            return value
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor | None:
        """Python value out."""
        return _parsed if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


class Flag(TypeDecorator[bool]):
    """A boolean; an integer in SQLite's STRICT tables."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The dialect's own column type."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Boolean())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        """Booleans in."""
        return value if value is None or dialect.name != "sqlite" else int(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        """Booleans out."""
        return _is_true


def _since_epoch(value: int | None) -> datetime | None:
    return None if value is None else _EPOCH + timedelta(microseconds=value)


def _in_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


def _parsed(value: str | None) -> Any:
    if value is None:
        return None
    return [] if value == "[]" else _decoded(value)[0]  # most lists, of which a claim of feeds reads thousands


def _is_true(value: object) -> bool | None:
    return None if value is None else bool(value)


class _Zstd(threading.local):
    """What unpacks in a thread: to make one takes longer than to use it."""

    def __init__(self) -> None:
        self.unpacker = zstandard.ZstdDecompressor()


_zstd = _Zstd()


def unpack(blob: bytes | None) -> str | None:
    """The text in a `Packed` column; also SQL's `unpack()` on SQLite."""
    return None if blob is None else _zstd.unpacker.decompress(blob).decode()


class Packed(TypeDecorator[str]):
    """A text that is stored compressed (zstd); a low level for what lives for minutes only."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, level: int = 9) -> None:
        super().__init__()
        self.level = level

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Text in; lone surrogates cannot be stored and become question marks."""
        return None if value is None else zstandard.compress(value.encode(errors="replace"), level=self.level)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        """Text out."""
        return unpack
