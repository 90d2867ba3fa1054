"""The file of a watch: what heap and goroutine profiles of some targets said over time, in duckdb columns.

All looks of a moment are written in one transaction: who is killed loses those, and no others. Of a site only
changes are written: a service has thousands and few of them move in half a minute. Imports ``model``,
msgspec, numpy, ``profile``'s goroutines and sites, this room and, when a file is opened, duckdb.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from goretain.model.errors import CorruptFile, GoretainError, UsageError
from goretain.model.saving import cannot_save, check_place
from goretain.profile.goroutines import Where
from goretain.profile.sites.sampling import Amounts
from goretain.profile.sites.site import Site, SiteAmounts
from goretain.profile.watch.moments import (
    WIDTH,
    Moment,
    Watched,
    columns,
    decoded,
    packed,
    read_target,
    rows,
)
from goretain.snapshot import Frame

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Of the tables below; a file of another one is refused.
VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS goretain_watch (version INTEGER);
CREATE TABLE IF NOT EXISTS targets (id INTEGER, name VARCHAR);
CREATE TABLE IF NOT EXISTS looks (id INTEGER, target INTEGER, taken_at DOUBLE, rate BIGINT, memory VARCHAR,
    resident BIGINT, failed VARCHAR);
CREATE TABLE IF NOT EXISTS sites (id INTEGER, place VARCHAR, path VARCHAR);
CREATE TABLE IF NOT EXISTS amounts (look INTEGER, target INTEGER, site INTEGER,
    alloc_objects BIGINT, alloc_bytes BIGINT, alloc_samples BIGINT,
    inuse_objects BIGINT, inuse_bytes BIGINT, inuse_samples BIGINT);
CREATE TABLE IF NOT EXISTS goroutines (look INTEGER, target INTEGER, place INTEGER, count BIGINT);
CREATE TABLE IF NOT EXISTS pacing (look INTEGER, target INTEGER, gogc BIGINT, memory_limit BIGINT,
    measured BIGINT);
CREATE TABLE IF NOT EXISTS places (id INTEGER, place VARCHAR);
"""
#: Bytes that duckdb may take: what is written at once is small.
_MEMORY = "64MB"


class NotWritten(GoretainError):
    """What was seen could not be written; what was written before is kept."""


class Record:
    """An open file. Use it in one thread, and close it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open a file, or make it.

        Raises:
            UsageError: duckdb is not installed, or nothing can be written there.
            CorruptFile: it is no file of a watch, or somebody else writes it.
        """
        self._name = os.fspath(path)
        self._file = _opened(self._name)
        self._targets: dict[str, int] = {
            name: number for number, name in rows(self._file, "SELECT id, name FROM targets")
        }
        self._sites = {
            decoded(text, Site): number for number, text in rows(self._file, "SELECT id, place FROM sites")
        }
        self._places = {
            decoded(text, Where): number for number, text in rows(self._file, "SELECT id, place FROM places")
        }
        ((last,),) = rows(self._file, "SELECT coalesce(max(id), 0) FROM looks")
        self._looks = int(last)
        self._added: dict[str, list[tuple[Any, ...]]] = {}
        self._last = {number: self._state(number) for number in self._targets.values()}

    def close(self) -> None:
        """Let go of the file; what was not written is lost."""
        self._file.close()

    def __enter__(self) -> Record:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, target: str) -> Watched:
        """All looks at a target."""
        return read_target(self._file, target)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names, in the order of their first look."""
        return tuple(self._targets)

    def answered(self, target: str) -> bool:
        """Whether any look at a target has not failed."""
        query = "SELECT count(*) FROM looks WHERE target = ? AND failed IS NULL"
        return rows(self._file, query, self._targets.get(target, -1)) != [(0,)]

    def add(self, target: str, moment: Moment, paths: dict[Site, tuple[Frame, ...]]) -> None:
        """A look, to be written. paths: a call path to each site that is new."""
        look = moment.look
        memory = None if moment.memory is None else msgspec.json.encode(moment.memory).decode()
        key = self._look(target, look.taken_at, look.rate, memory, moment.resident, None)
        self._changes(key, look.amounts, paths)
        for place, count in (moment.goroutines or {}).items():
            if place not in self._places:
                self._places[place] = len(self._places)
                self._put("places", self._places[place], msgspec.json.encode(place).decode())
            self._put("goroutines", *key, self._places[place], count)
        if moment.pacing is not None:
            self._put("pacing", *key, *packed(moment.pacing))

    def fail(self, target: str, at: float, reason: str) -> None:
        """A look that failed, to be written."""
        self._look(target, at, None, None, None, reason)

    def write(self) -> None:
        """Write what was added, all of it or nothing.

        Raises:
            NotWritten: the disk is full, say. To be read, the file must be opened anew then.
        """
        duckdb = _duckdb()
        try:
            with _for_us_alone():
                self._file.begin()
                for table, added in self._added.items():
                    self._insert(table, added)
                self._file.commit()
        except duckdb.Error as wrong:
            refused = _refused(self._name, _reason(wrong))
            raise NotWritten(
                f"what was seen last cannot be written: {refused.message}", hint=refused.hint
            ) from None
        self._added.clear()

    def _insert(self, table: str, added: list[tuple[Any, ...]]) -> None:
        if table == "looks":  # the one with columns that may be unknown
            self._file.executemany("INSERT INTO looks VALUES (?, ?, ?, ?, ?, ?, ?)", added)
            return
        kinds = [object if isinstance(value, str) else np.int64 for value in added[0]]
        columns = zip(kinds, zip(*added, strict=True), strict=True)
        self._file.register("added", {f"c{at}": np.array(c, kind) for at, (kind, c) in enumerate(columns)})
        self._file.execute(f"INSERT INTO {table} SELECT * FROM added")
        self._file.unregister("added")

    def unknown(self, sites: Iterable[Site]) -> list[Site]:
        """Those of the sites that the file does not have yet."""
        return [site for site in sites if site not in self._sites]

    def _look(self, target: str, *rest: Any) -> tuple[int, int]:
        """Numbers of a new look and of its target."""
        if target not in self._targets:
            self._targets[target] = len(self._targets)
            self._last[self._targets[target]] = {}
            self._put("targets", self._targets[target], target)
        self._looks += 1
        self._put("looks", self._looks, self._targets[target], *rest)
        return self._looks, self._targets[target]

    def _changes(
        self, key: tuple[int, int], amounts: SiteAmounts, paths: dict[Site, tuple[Frame, ...]]
    ) -> None:
        """The sites whose amounts are not those of the look before."""
        for site in self.unknown(amounts.sites):
            self._sites[site] = len(self._sites)
            texts = (msgspec.json.encode(part).decode() for part in (site, paths.get(site, ())))
            self._put("sites", self._sites[site], *texts)
        parts = (column for part in (amounts.allocated, amounts.in_use) for column in _three(part))
        figures = map(tuple, np.stack(list(parts), axis=1).tolist())
        now = dict(zip([self._sites[site] for site in amounts.sites], figures, strict=True))
        last = self._last[key[1]]
        gone = dict.fromkeys(last.keys() - now.keys(), (0,) * WIDTH)
        for number, row in {**now, **gone}.items():
            if last.get(number) != row:
                self._put("amounts", *key, number, *row)
        self._last[key[1]] = now

    def _put(self, table: str, *row: Any) -> None:
        self._added.setdefault(table, []).append(row)

    def _state(self, target: int) -> dict[int, tuple[int, ...]]:
        """The last amounts of every site of a target."""
        state = {row[0]: tuple(row[1:]) for row in columns(self._file, "amounts", target)[:, 1:].tolist()}
        return {site: row for site, row in state.items() if any(row)}


def _opened(name: str) -> DuckDBPyConnection:
    """The file with its tables, made if it is not there."""
    duckdb = _duckdb()
    check_place(name)
    config = {"threads": 1, "memory_limit": _MEMORY, "enable_external_access": "false"}
    try:
        with _for_us_alone():
            file: DuckDBPyConnection = duckdb.connect(name, config=config)
            tables = rows(file, "SELECT table_name FROM information_schema.tables")
            if tables and ("goretain_watch",) not in tables:
                raise CorruptFile(name, None, "a database, but not of a watch", hint="name another file")
            file.execute(_TABLES)
            if not rows(file, "SELECT version FROM goretain_watch"):
                file.execute("INSERT INTO goretain_watch VALUES (?)", [VERSION])
    except duckdb.Error as wrong:
        raise _refused(name, _reason(wrong)) from None
    ((version,),) = rows(file, "SELECT version FROM goretain_watch")
    if version != VERSION:
        raise CorruptFile(name, None, f"a watch of version {version}", hint="use a newer goretain")
    return file


@contextmanager
def _for_us_alone() -> Iterator[None]:
    """What is made meanwhile, the log beside the file too, only its owner may read: it names functions."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _reason(wrong: Exception) -> str:
    return str(wrong).partition("\n")[0]


def _refused(name: str, reason: str) -> GoretainError:
    """The error for what duckdb says of a file."""
    if os.strerror(errno.ENOSPC) in reason:
        return cannot_save(name, reason, "free some space there, or name another file with -o")
    hint = "name another file with -o"
    if "set lock" in reason:
        hint = f"one watch at a time writes a file; {hint}"
    return CorruptFile(name, None, reason, hint=hint)


def _three(amounts: Amounts) -> tuple[NDArray[np.int64], ...]:
    assert amounts.samples is not None  # a Look has them
    return amounts.objects, amounts.bytes, amounts.samples


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        raise UsageError(
            "a watch is kept in a duckdb file, and duckdb is not installed",
            hint="install it: pip install 'goretain[sql]' (or pip install duckdb in the same environment)",
        ) from None
    return duckdb
