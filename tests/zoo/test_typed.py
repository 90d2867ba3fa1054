"""Types on an ordinary service (net/http, TLS, encoding/json): how many objects get one, and is it right?

That is for the runtime to say: run from the start with GODEBUG=traceallocfree=1, it records the type of every
allocation in an execution trace (Go 1.23 and newer).
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from goretain.heap.heap import Heap
from goretain.snapshot import ObjectFlag, Snapshot, TypeInfo
from tests.oracle.tracev2 import TracedType, live_types
from tests.support.golang import VERSIONS, go_program, release, running, wait_until_blocked
from tests.support.heaps import snapshot_of

_TYPED = [v for v in VERSIONS if release(v) >= (1, 22)]
_TRACED = [v for v in VERSIONS if release(v) >= (1, 23)]


@pytest.mark.parametrize("version", _TYPED)
def test_nearly_all_objects_and_bytes_are_typed(version: str) -> None:
    with running(go_program("server", version)) as target:
        wait_until_blocked(target.pid)
        snapshot = snapshot_of(target.pid)
    heap = Heap(snapshot)
    coverage = heap.coverage
    # A server is not as quiet as test_exact's program: a connection or thread may end after it has counted.
    assert 0 <= coverage.enumerated.objects - target.fact("HeapObjects") <= 4
    of_objects, of_bytes = _share(snapshot, heap, noscan=False)
    assert of_objects >= 0.995, _untyped(snapshot, heap)
    assert of_bytes >= 0.99, _untyped(snapshot, heap)
    # Objects without pointers are counted apart: a struct that only slices of its arrays reach (the address
    # in a syscall.SockaddrInet4, the key schedule of an AES cipher) stays unknown, for it is not a []byte.
    of_objects, of_bytes = _share(snapshot, heap, noscan=True)
    assert of_objects >= 0.9, _untyped(snapshot, heap)
    assert of_bytes >= 0.9, _untyped(snapshot, heap)


def _share(snapshot: Snapshot, heap: Heap, *, noscan: bool) -> tuple[float, float]:
    """Typed shares (objects, bytes) of reached objects with pointers, or of those without."""
    columns = snapshot.columns
    chosen = heap.graph.reached & (((columns.object_flags & ObjectFlag.NOSCAN) != 0) == noscan)
    typed = chosen & (columns.object_type >= 0)
    return float(typed.sum() / chosen.sum()), float(
        columns.object_size[typed].sum() / columns.object_size[chosen].sum()
    )


def _untyped(snapshot: Snapshot, heap: Heap) -> Counter[tuple[int, int]]:
    """(slot size, flags) of reached objects without a type, for the message of a failure."""
    columns = snapshot.columns
    rows = np.flatnonzero(heap.graph.reached & (columns.object_type < 0))
    return Counter((int(columns.object_size[r]), int(columns.object_flags[r])) for r in rows)


@pytest.mark.parametrize("version", _TRACED)
def test_types_agree_with_the_runtime_s_own_record(version: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    program = go_program("server", version)
    with running(program, [str(trace)], env={"GODEBUG": "traceallocfree=1"}) as target:
        wait_until_blocked(target.pid)
        snapshot = snapshot_of(target.pid)
    recorded = live_types(trace)
    reached = Heap(snapshot).graph.reached
    columns = snapshot.columns
    agreed, disagreed = 0, Counter[tuple[str, str]]()
    for row in np.flatnonzero(reached & (columns.object_type >= 0)):
        said = recorded.get(int(columns.object_address[row]))
        if said is None or columns.object_flags[row] & ObjectFlag.TINY:
            continue
        ours = snapshot.types[int(columns.object_type[row])]
        if _same(snapshot, ours, said):
            agreed += 1
        else:
            disagreed[(ours.name, said.name)] += 1
    compared = agreed + disagreed.total()
    assert compared > 0.5 * int(reached.sum())
    assert agreed >= 0.995 * compared, disagreed.most_common(30)


def _same(snapshot: Snapshot, ours: TypeInfo, said: TracedType) -> bool:
    """Whether two names mean one type.

    The trace shortens package paths and names the element where an array of values is allocated. What the
    compiler and the runtime make up (closures, the parts of maps, values boxed in interfaces) has no name in
    the program: its part and its element types decide.
    """
    if ours.role == "data":
        return re.sub(r"^(\[\d*\])+", "", _short(said.name)) == "uint8"
    if ours.role == "closure":
        return said.name.startswith(("struct { F uintptr", "func"))
    if ours.role in _PARTS:
        return re.sub(r"\[.*", "", said.name) in _PARTS[ours.role]
    if said.name in _BOXES:
        return (ours.kind in _BOXES[said.name]) and ours.size == said.size
    names = {_short(ours.name)}
    while ours.kind == "array" and ours.elem >= 0:
        ours = snapshot.types[ours.elem]
        names.add(_short(ours.name))
    return re.sub(r"^(\[\d+\])+", "", _short(said.name)) in names or _short(said.name) in names


#: Names that the runtime allocates parts of maps and channels under, up to the key type.
_PARTS = {
    "chan": {"runtime.hchan"},
    "map-header": {"maps.Map", "runtime.hmap"},
    "map-directory": {"*maps.table"},
    "map-table": {"maps.table"},
    "map-groups": {"map.group", "map.bucket"},
}
#: Types that runtime/iface.go boxes values of several types under.
_BOXES = {
    "runtime.stringInterfacePtr": {"string"},
    "runtime.sliceInterfacePtr": {"slice"},
    "runtime.uint16InterfacePtr": {"int16", "uint16"},
    "runtime.uint32InterfacePtr": {"int32", "uint32", "float32"},
    "runtime.uint64InterfacePtr": {"int", "uint", "int64", "uint64", "uintptr", "float64"},
}


def _short(name: str) -> str:
    """``*net/http.Request`` -> ``*http.Request``, ``interface {}`` -> ``any``, ``byte`` -> ``uint8``."""
    name = re.sub(r"/v\d+\.", ".", name)  # the package in json/v2 is json
    name = re.sub(r"[\w.\-~]+/|go\.shape\.", "", name)
    return re.sub(r"\bbyte\b", "uint8", name.replace("interface {}", "any"))
