"""What a lean capture leaves out changes no answer: a full one of the same process reads the same."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from goretain.capture.frozen.process import capture_process
from goretain.golang.read import read_heap
from goretain.snapshot import Snapshot
from tests.support.golang import go_program, running, wait_until_blocked
from tests.support.heaps import plan_for

#: Columns of the same meaning whatever order types and root paths were met in.
_COLUMNS = (
    "object_address",
    "object_size",
    "edge_start",
    "edge_target",
    "edge_word",
    "map_object",
    "map_entries",
    "map_slots",
    "map_bytes",
    "map_needed",
    "entry_map",
    "entry_object",
    "entry_key_length",
)


def _type_names(snapshot: Snapshot) -> list[str]:
    names = [t.name for t in snapshot.types]
    return [names[index] if index >= 0 else "" for index in snapshot.columns.object_type.tolist()]


@pytest.mark.parametrize("state", ["quiet", pytest.param("unswept", marks=pytest.mark.long)])
def test_lean_and_full_captures_of_a_process_at_rest_read_the_same(go_version: str, state: str) -> None:
    with running(go_program("exact", go_version), [state]) as target:
        wait_until_blocked(target.pid)
        os.kill(target.pid, signal.SIGSTOP)
        lean, full = (read_heap(capture_process(target.pid, plan_for, full=full)) for full in (False, True))
    assert lean.meta.totals == full.meta.totals
    different = [
        c for c in _COLUMNS if not np.array_equal(getattr(lean.columns, c), getattr(full.columns, c))
    ]
    assert different == []
    assert _type_names(lean) == _type_names(full)
    assert [root.name for root in lean.roots] == [root.name for root in full.roots]
