"""Takes snapshots of running programs, the way the product does, and finds things in them by name."""

from __future__ import annotations

import numpy as np

from goretain.capture.frozen.process import capture_process
from goretain.capture.image import Image
from goretain.capture.source import Plan
from goretain.debuginfo.elf.elf import Elf
from goretain.golang.layout import open_layout
from goretain.golang.plan import lean_plan
from goretain.golang.read import read_heap
from goretain.snapshot import Snapshot


def plan_for(binary: Elf, bias: int) -> Plan:
    """The lean plan for a binary, its DWARF index kept in the user's cache."""
    return lean_plan(open_layout(binary), bias)


def image_of(pid: int) -> Image:
    """Freeze the process, copy what the lean plan asks for, release."""
    return capture_process(pid, plan_for)


def snapshot_of(pid: int) -> Snapshot:
    """Capture the process and read its heap."""
    return read_heap(image_of(pid))


def root_targets(snapshot: Snapshot, name: str) -> list[tuple[str, int]]:
    """(path, object id) of every root slot of the named root node."""
    columns = snapshot.columns
    (node,) = [index for index, root in enumerate(snapshot.roots) if root.name == name]
    rows = np.flatnonzero(columns.root_node == node)
    return [(snapshot.strings[columns.root_path[row]], int(columns.root_target[row])) for row in rows]


def map_row(snapshot: Snapshot, header: int) -> int | None:
    """Row in the map columns of the map with this header object."""
    rows = np.flatnonzero(snapshot.columns.map_object == header)
    return int(rows[0]) if len(rows) else None
