"""Which layout table fits a program: by the Go version that the linker wrote into it.

The linker appends the experiments in which a build differs from its release (cmd/link/internal/ld/main.go):
``go1.24.11 X:noswissmap``, in later releases ``go1.27.3-X:mapsplitgroup``. Most change no layout; those that
do have a table, or are refused. Imports ``golang.tables`` siblings.
"""

from __future__ import annotations

import re
from functools import cache

from goretain.golang.tables.file import TableFile, read_file
from goretain.golang.tables.table import LayoutTable

_VERSION = re.compile(r"\bgo1\.(\d+)(?:\.(\d+))?")
_EXPERIMENTS = re.compile(r"[ -]X:([\w,]+)")


@cache
def _file() -> TableFile:
    return read_file()


@cache
def all_tables() -> tuple[LayoutTable, ...]:
    """Every table that there is, the newest release first, without experiments before with."""
    tables = [LayoutTable(_file(), row) for row in _file().tables]
    return tuple(sorted(tables, key=lambda t: (-_minor(t.go), len(t.experiments), t.experiments, -t.since)))


def tables_for(go_version: str | None) -> list[LayoutTable]:
    """The tables that can fit a program of a Go version, best first.

    Args:
        go_version: as the linker wrote it, such as ``go1.24.11 X:noswissmap``; None, or a text that names no
            version (garble writes ``unknown``): every table is a candidate.

    More than one for a patch release that lies between two that were tried and differ. Empty when the release
    line is one without tables, or the program was built with experiments that no table has.
    """
    found = _VERSION.search(go_version or "")
    if go_version is None or found is None:
        return list(all_tables())
    line = [t for t in all_tables() if _minor(t.go) == int(found[1])]
    stated = _EXPERIMENTS.search(go_version)
    named = set(stated[1].split(",")) if stated else set()
    refused = _file().refused.get(f"1.{found[1]}", ())
    wanted = named & ({e for t in line for e in t.experiments} | set(refused))
    # A development version or release candidate has no patch number: it is nearest to the first release.
    return _holding([t for t in line if set(t.experiments) == wanted], int(found[2] or 0))


def _holding(tables: list[LayoutTable], patch: int) -> list[LayoutTable]:
    """Those of one line's tables, newest first, that can hold for a patch release."""
    at = next((i for i, table in enumerate(tables) if table.since <= patch), len(tables) - 1)
    if not tables or at == 0 or patch <= max(tables[at].tried):
        return tables[at : at + 1]
    return [tables[at], tables[at - 1]]


def _minor(go: str) -> int:
    return int(go.partition(".")[2])
