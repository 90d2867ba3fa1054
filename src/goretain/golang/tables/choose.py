"""Which layout table fits a program: by the Go version that the linker wrote into it.

The linker appends the experiments in which a build differs from its release (cmd/link/internal/ld/main.go):
``go1.24.11 X:noswissmap``. Those that change no layout are told by no table having them. Imports
``golang.tables`` siblings.
"""

from __future__ import annotations

import re
from functools import cache

from goretain.golang.tables.file import read_file
from goretain.golang.tables.table import LayoutTable

_VERSION = re.compile(r"\bgo1\.(\d+)(?:\.(\d+))?")
_EXPERIMENTS = re.compile(r" X:([\w,]+)")


@cache
def all_tables() -> tuple[LayoutTable, ...]:
    """Every table that there is, the newest release first, without experiments before with."""
    file = read_file()
    tables = [LayoutTable(file, row) for row in file.tables]
    return tuple(sorted(tables, key=lambda t: (-_minor(t.go), -t.since, len(t.experiments), t.experiments)))


def tables_for(go_version: str | None) -> list[LayoutTable]:
    """The tables that can fit a program of a Go version, best first.

    Args:
        go_version: as the linker wrote it, such as ``go1.24.11 X:noswissmap``; None, or a text that names no
            version (garble writes ``unknown``): every table is a candidate.

    Empty when the version is one without tables, or was built with a mix of experiments that no table has.
    """
    found = _VERSION.search(go_version or "")
    if go_version is None or found is None:
        return list(all_tables())
    minor, patch = int(found[1]), found[2]
    line = [t for t in all_tables() if _minor(t.go) == minor]
    # A development version or release candidate has no patch number: it is nearest to the first release.
    holding = [t for t in line if t.since <= int(patch or 0)]
    newest: dict[tuple[str, ...], LayoutTable] = {}
    for table in holding:
        known = newest.get(table.experiments)
        if known is None or known.since < table.since:
            newest[table.experiments] = table
    stated = _EXPERIMENTS.search(go_version)
    named = set(stated[1].split(",")) if stated else set()
    wanted = named & {e for t in line for e in t.experiments}
    return [table for table in newest.values() if set(table.experiments) == wanted]


def _minor(go: str) -> int:
    return int(go.partition(".")[2])
