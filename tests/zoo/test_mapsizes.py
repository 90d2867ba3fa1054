"""Maps of all sizes against the same made afresh: what they would take; growing leaves none sparse."""

from __future__ import annotations

import numpy as np
import pytest

import goretain
from tests.support.golang import VERSIONS, go_program, running
from tests.support.heaps import map_row, root_targets

#: Classic maps, which double at 6 entries a bucket, and at 6.5.
_SHORT = ("1.21.13", "1.23.9")
_CASES = [v if v in _SHORT else pytest.param(v, marks=pytest.mark.long) for v in VERSIONS]


@pytest.mark.parametrize("version", _CASES)
def test_maps_that_only_grew(version: str) -> None:
    with running(go_program("mapsizes", version)) as target:
        opened = goretain.open(target.pid)
    snapshot, columns = opened.heap.snapshot, opened.heap.snapshot.columns

    def rows_of(name: str) -> list[int]:
        ((_, array),) = root_targets(snapshot, name)
        headers = columns.edge_target[columns.edge_start[array] : columns.edge_start[array + 1]].tolist()
        return [row for row in (map_row(snapshot, header) for header in headers) if row is not None]

    for grown, made in (("main.grown", "main.made"), ("main.plain", "main.madePlain")):
        filled, empty = rows_of(grown), rows_of(made)
        assert len(filled) == len(empty) == target.fact("Maps")
        assert columns.map_entries[filled].tolist() == list(range(10, 10 + 7 * len(filled), 7))
        assert columns.map_needed[filled].tolist() == columns.map_bytes[empty].tolist()
        assert np.all(columns.map_entries[filled] >= 0.25 * columns.map_slots[filled])
    sparse = {f.holder for f in opened.findings() if f.pattern == "map-never-shrinks"}
    assert not sparse & {"main.grown", "main.plain"}
