"""Many ids as one parameter: a statement that lists them is put together anew for each number of them."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Dialect, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


class _Ids(TypeDecorator[Collection[int]]):
    """Integers: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The dialect's own type."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(BigInteger))

    def process_bind_param(self, value: Collection[int] | None, dialect: Dialect) -> Any:
        """Integers in."""
        ids = [*(value or ())]
        return json.dumps(ids) if dialect.name == "sqlite" else ids


class _Within(FunctionElement[bool]):
    name = "within"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> "_Within":
        """As it is: `= 1` would keep SQLite from its index."""
        return self


def within(column: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """Whether a column is one of the ids that a statement is given under a name."""
    return _Within(column, bindparam(name, type_=_Ids))


@compiles(_Within, "sqlite")
def _on_sqlite(element: _Within, compiler: SQLCompiler, **options: Any) -> str:
    column, ids = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 - names and places of parameters


@compiles(_Within, "postgresql")
def _on_postgresql(element: _Within, compiler: SQLCompiler, **options: Any) -> str:
    column, ids = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} = ANY ({ids})"
