"""Runs one SELECT over tables in memory, and lets it do nothing else.

The database is empty and in memory; columns are registered where they lie, for the tables that the query
names only. Files, network, extensions and settings are switched off, memory has a limit and nothing is
spilled to disk; statements are parsed before they run, and functions that make tables are refused unless
they are harmless (duckdb's own ``pandas_scan`` would read any address). Imports ``model``, numpy and, when a
query runs, duckdb.
"""

from __future__ import annotations

import difflib
import json
import resource
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from numpy.typing import NDArray

from goretain.model.errors import NotEnoughMemory, UsageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Bytes that a query may take, unless told otherwise.
MEMORY = 1 << 30
#: Functions that may stand after FROM.
_TABLE_FUNCTIONS = frozenset({"generate_series", "range", "unnest", "repeat_row", "repeat"})
_SETTINGS = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "threads": "2",
}
_DEEPEST = 200
#: Address space for threads and for Python's own rows, in bytes.
_BESIDE = 512 << 20
#: Seconds between two looks for Ctrl-C.
_PACE = 0.05
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it is documented: its name, its type in SQL, what it holds."""

    name: str
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a heap.

    Attributes:
        name, text: what it is called, and what a row is.
        columns: in order.
        sources: name of an array table -> what makes its columns of a subject, when a query needs them.
        select: the SELECT over them that is the table.
    """

    name: str
    text: str
    columns: tuple[Column, ...]
    sources: Mapping[str, Callable[[Any], Mapping[str, NDArray[Any]]]]
    select: str


class Bound(NamedTuple):
    """A table of one heap: the subject is what its sources take."""

    table: Table
    subject: object


@dataclass(frozen=True, slots=True)
class Result:
    """What a query gave.

    Attributes:
        names, types: of the columns; no two names are equal.
        rows: the first ones.
        more: whether there are others.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool


def run(tables: Sequence[Bound], sql: str, *, limit: int, memory: int = MEMORY) -> Result:
    """Run one SELECT.

    Args:
        tables: what it may name.
        limit: rows to fetch.
        memory: bytes that it may take besides the columns.

    Raises:
        UsageError: duckdb is missing, or the text is not one SELECT over these tables.
        NotEnoughMemory: it would take more than ``memory``.
    """
    duckdb = _duckdb()
    connection = duckdb.connect(":memory:", config=_SETTINGS | {"memory_limit": f"{max(memory, 1 << 24)}B"})
    try:
        for table, subject in _named(duckdb, connection, tables, sql):
            for name, arrays in table.sources.items():
                connection.register(name, dict(arrays(subject)))
            columns = ", ".join(f'"{c.name}"::{c.type} AS "{c.name}"' for c in table.columns)
            connection.execute(f'CREATE VIEW "{table.name}" AS SELECT {columns} FROM ({table.select})')
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET lock_configuration = true")
        with _address_space(memory):
            rows, described = _interruptible(connection, lambda: _fetched(connection, sql, limit + 1))
        names = tuple(_distinct(str(entry[0]) for entry in described))
        types = tuple(str(entry[1]) for entry in described)
        shown = tuple(tuple(_plain(value) for value in row) for row in rows[:limit])
        return Result(names, types, shown, len(rows) > limit)
    except (duckdb.OutOfMemoryException, MemoryError):
        raise NotEnoughMemory(
            f"the query would take more than {memory / (1 << 20):,.0f} MiB",
            hint="select fewer rows or columns, or allow more: --memory",
        ) from None
    except duckdb.Error as failed:
        raise _refused(_first_part(failed), tables) from None
    finally:
        connection.close()


def _fetched(connection: DuckDBPyConnection, sql: str, limit: int) -> tuple[list[Any], list[Any]]:
    cursor = connection.execute(sql)
    return cursor.fetchmany(limit), list(cursor.description or ())


@contextmanager
def _address_space(memory: int) -> Iterator[None]:
    """Hold the whole process to so many bytes more than it has: duckdb counts tables and buffers, but not a
    text that a function makes (repeat)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = now + memory + _BESIDE
    if soft == resource.RLIM_INFINITY or most < soft:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _interruptible(connection: DuckDBPyConnection, work: Callable[[], T]) -> T:
    """Do it in a thread, so that Ctrl-C is seen here whatever duckdb is busy with, and ends it there."""
    outcome: list[T] = []
    failed: list[Exception] = []
    done = threading.Event()  # Thread.join takes a thread for ended when Ctrl-C interrupts it (3.11)

    def do() -> None:
        try:
            outcome.append(work())
        except Exception as reason:  # it is raised where it was asked for
            failed.append(reason)
        finally:
            done.set()

    threading.Thread(target=do, daemon=True).start()
    try:
        while not done.wait(_PACE):
            pass
    except KeyboardInterrupt:
        while not done.is_set():
            with suppress(Exception):  # refused while duckdb prepares the query: asked again
                connection.interrupt()
            done.wait(_PACE)
        raise
    for reason in failed:
        raise reason
    return outcome[0]


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        raise UsageError(
            "SQL needs duckdb, which is not installed",
            hint="install it: pip install 'goretain[sql]' (or pip install duckdb in the same environment)",
        ) from None
    return duckdb


def _named(duckdb: Any, connection: DuckDBPyConnection, tables: Sequence[Bound], sql: str) -> Iterator[Bound]:
    """The tables that a query names, after a look at everything else that it asks for. Raises UsageError."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise _refused(f"give one SELECT, not {len(statements)} statements", tables)
    ((text,),) = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
    parsed = json.loads(text)
    if statements[0].type != duckdb.StatementType.SELECT or parsed.get("error", True):
        raise _refused("only SELECT is run: a snapshot is not changed by queries", tables)
    by_name = {bound.table.name: bound for bound in tables}
    parts = list(_parts(parsed))
    defined = {entry["key"].lower() for part in parts for entry in part.get("cte_map", {}).get("map", ())}
    found: dict[str, Bound] = {}
    for part in parts:
        kind, name = part.get("type"), str(part.get("table_name", "")).lower()
        if kind == "TABLE_FUNCTION":
            function = str(part.get("function", {}).get("function_name", ""))
            if function.lower() not in _TABLE_FUNCTIONS:
                raise _refused(f"the function {function} is not allowed after FROM", tables)
        elif kind == "SHOW_REF" and name:
            raise _refused("SHOW is not run", tables)
        elif kind == "BASE_TABLE" and name in by_name:
            found[name] = by_name[name]
        elif kind == "BASE_TABLE" and name not in defined:
            near = difflib.get_close_matches(name, by_name, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise _refused(f"there is no table {part.get('table_name')!r}{meant}", tables)
    yield from found.values()


def _parts(parsed: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """All objects of a parsed statement."""
    if depth > _DEEPEST:
        raise UsageError(
            "the query is nested too deeply", hint="write it in several steps: WITH name AS (...)"
        )
    if isinstance(parsed, dict):
        yield parsed
    for part in parsed.values() if isinstance(parsed, dict) else parsed if isinstance(parsed, list) else ():
        yield from _parts(part, depth + 1)


def _refused(message: str, tables: Sequence[Bound]) -> UsageError:
    names = ", ".join(bound.table.name for bound in tables)
    return UsageError(message, hint=f"tables: {names}; 'goretain query' alone shows their columns")


def _first_part(failed: BaseException) -> str:
    """What duckdb says, without its own hints and the place in the text."""
    return " ".join(str(failed).partition("\n\n")[0].split())


def _plain(value: Any) -> Any:
    """A value as JSON has it: integers that fit, floats, text, lists and objects of them."""
    if value is None or isinstance(value, bool | str | float):
        return value
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 63 else float(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 1 << 62 else float(value)
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.hex() if isinstance(value, bytes) else str(value)


def _distinct(names: Iterator[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name}_{seen[name]}"
