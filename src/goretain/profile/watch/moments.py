"""The moments that a file of a watch holds, and how they are read; ``record`` writes them.

Imports msgspec, numpy and ``profile``'s contents, goroutines, growth, sites and this room.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from goretain.profile.contents import MemStats
from goretain.profile.goroutines import Where
from goretain.profile.growth.history import Look
from goretain.profile.sites.sampling import Amounts
from goretain.profile.sites.site import Site, SiteAmounts
from goretain.profile.watch.pacing import Pacing
from goretain.snapshot import Frame

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Columns of amounts behind its keys: objects, bytes and samples, allocated and in use.
WIDTH = 6
#: Stands in a column for no memory limit, as it does in the runtime.
_NO_LIMIT = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Moment:
    """What one look at a target gave.

    Attributes:
        look: its heap profile.
        memory: what its runtime says of its memory; resident: its RSS in bytes. None unknown.
        goroutines: where how many stand; None unknown.
        pacing: how its garbage collector is set; None unknown.
    """

    look: Look
    memory: MemStats | None = None
    resident: int | None = None
    goroutines: Counter[Where] | None = None
    pacing: Pacing | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """What a file says of one target.

    Attributes:
        name: of the target.
        moments: in the order of time.
        paths: a call path to each site, innermost frame first.
        failed: Unix seconds and reason of every look that failed.
    """

    name: str
    moments: list[Moment]
    paths: dict[Site, tuple[Frame, ...]]
    failed: list[tuple[float, str]] = field(default_factory=list)


def read_target(file: DuckDBPyConnection, name: str) -> Watched:
    """All looks at a target that the file has."""
    ((target,),) = rows(file, "SELECT id FROM targets WHERE name = ?", name)
    sites = [decoded(text, Site) for (text,) in rows(file, "SELECT place FROM sites ORDER BY id")]
    places = [decoded(text, Where) for (text,) in rows(file, "SELECT place FROM places ORDER BY id")]
    state = np.zeros((len(sites), WIDTH), np.int64)
    amounts = _by_look(columns(file, "amounts", target))
    standing = _by_look(columns(file, "goroutines", target))
    paced = {look: setting for (look, *setting) in columns(file, "pacing", target).tolist()}
    moments, failed = [], []
    query = "SELECT id, taken_at, rate, memory, resident, failed FROM looks WHERE target = ? ORDER BY id"
    for look, at, rate, memory, resident, reason in rows(file, query, target):
        if reason is not None:
            failed.append((at, reason))
            continue
        if (changed := amounts.get(look)) is not None:
            state[changed[:, 0]] = changed[:, 1:]
        found = standing.get(look)
        said: MemStats | None = None if memory is None else decoded(memory, MemStats)
        moments.append(
            Moment(
                Look(at, rate, _amounts(sites, state), None if said is None else said.gc_count),
                said,
                resident,
                None if found is None else Counter({places[place]: count for place, count in found.tolist()}),
                unpacked(paced[look]) if look in paced else None,
            )
        )
    paths = rows(file, "SELECT place, path FROM sites")
    ways = {decoded(place, Site): decoded(path, tuple[Frame, ...]) for place, path in paths}
    return Watched(name, moments, ways, failed)


def packed(pacing: Pacing) -> tuple[int, int, int]:
    """A row of the table of settings."""
    limit = _NO_LIMIT if pacing.memory_limit is None else pacing.memory_limit
    return pacing.gogc, limit, int(pacing.measured)


def unpacked(row: list[int]) -> Pacing:
    """What ``packed`` was made of."""
    gogc, limit, measured = row
    return Pacing(gogc=gogc, memory_limit=None if limit == _NO_LIMIT else limit, measured=bool(measured))


def columns(file: DuckDBPyConnection, table: str, target: int) -> NDArray[np.int64]:
    """int64[rows, columns of a table but target], in the order of looks."""
    query = f"SELECT * EXCLUDE (target) FROM {table} WHERE target = ? ORDER BY look"
    found = file.execute(query, [target]).fetchnumpy()
    return np.stack([np.asarray(column, np.int64) for column in found.values()], axis=1)


def rows(file: DuckDBPyConnection, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """What a query gives."""
    found: list[tuple[Any, ...]] = file.execute(query, list(arguments)).fetchall()
    return found


def decoded(text: str, kind: Any) -> Any:
    """A place that was written as JSON."""
    return msgspec.json.decode(text, type=kind)


def _amounts(sites: list[Site], state: NDArray[np.int64]) -> SiteAmounts:
    """The sites that have allocated anything."""
    here = np.flatnonzero(state.any(axis=1))
    now = state[here]
    allocated, in_use = (Amounts(now[:, at], now[:, at + 1], now[:, at + 2], None) for at in (0, WIDTH // 2))
    return SiteAmounts(tuple(sites[at] for at in here.tolist()), allocated, in_use)


def _by_look(table: NDArray[np.int64]) -> dict[int, NDArray[np.int64]]:
    looks, starts = np.unique(table[:, 0], return_index=True)
    return dict(zip(looks.tolist(), np.split(table[:, 1:], starts[1:]), strict=False))
