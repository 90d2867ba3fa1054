"""Every kind of root names what it holds, by variable, field, goroutine and type; dead words hold nothing."""

from __future__ import annotations

import re

import numpy as np
import pytest

from goretain.golang.read import read_heap
from goretain.golang.roots import rootobjects
from goretain.golang.roots.roots import finalizer_roots
from goretain.golang.stacks import stackscan
from goretain.kernels.reach import reach
from goretain.snapshot import Layer, ObjectFlag, Snapshot
from tests.support.golang import release
from tests.support.rootzoo import reread, roots_at, zoo

_PARKED = r"goroutine \d+ \[chan receive\] main\.block"
#: Object -> the text of one of its roots, and the name of the root word's type ("" where none is promised).
_HOLDERS = {
    "global": (r"main\.globalBody", "*main.Body"),
    "global field": (r"main\.globalHolder\.body", "*main.Body"),
    "global array": (r"main\.globalArray\[2\]\.body", "*main.Body"),
    "global table": (r"main\.globalTable\[1\]\.body", "*main.Body"),
    "spilled": (_PARKED + r":main\.spilled\.b", "*main.Body"),
    "local": (_PARKED + r":main\.local\.kept", "*main.Body"),
    "inlined": (_PARKED + r":main\.inlined\.inner", "*main.Body"),
    "stack object": (_PARKED + r":main\.pointsToObject\.box\.body", "*main.Body"),
    "panicking": (_PARKED + r":main\.panicking\.func1\.kept", "*main.Body"),
    "closure": (_PARKED + r":main\.closure\.func1\.kept", "*main.Body"),
    "any": (_PARKED + r":main\.interfaces\.v", ""),
    "made": (_PARKED + r":reflect\.makeFuncStub\.\(temporary\)", ""),
    "system call": (r"goroutine \d+ \[syscall\] main\.inSystemCall:main\.inSystemCall\.kept", "*main.Body"),
    "argument first": (_PARKED + r":main\.manyArguments\.first", "*main.Body"),
    "argument p": (_PARKED + r":main\.manyArguments\.p\.body", "*main.Body"),
    "argument q": (_PARKED + r":main\.manyArguments\.q\.body", "*main.Body"),
    "argument array": (_PARKED + r":main\.manyArguments\.array\[1\]", "*main.Body"),
    "argument late": (_PARKED + r":main\.manyArguments\.late", "*main.Body"),
    "argument last": (_PARKED + r":main\.manyArguments\.last", "*main.Body"),
}


def _reached(snapshot: Snapshot) -> np.ndarray:
    c = snapshot.columns
    return np.asarray(reach(c.edge_start, c.edge_target, np.unique(c.root_target))).astype(bool)


def _row(snapshot: Snapshot, address: int) -> int:
    """Row of the object that starts at an address."""
    row = int(np.searchsorted(snapshot.columns.object_address, address))
    assert snapshot.columns.object_address[row] == address
    return row


@pytest.mark.parametrize("name", _HOLDERS)
def test_a_root_is_named_by_its_variable(go_version: str, name: str) -> None:
    pattern, type_name = _HOLDERS[name]
    found = [r for r in zoo(go_version).roots_of(name) if re.fullmatch(pattern, r.text)]
    assert found, [r.text for r in zoo(go_version).roots_of(name)]
    assert not any(r.conservative for r in found)
    if type_name:
        assert {r.leaf.type.name for r in found if r.leaf is not None} == {type_name}


def test_a_variable_that_nothing_points_to_any_more_holds_nothing(go_version: str) -> None:
    assert zoo(go_version).roots_of("dead stack object") == []


def test_an_argument_is_held_by_its_spill_slot(go_version: str) -> None:
    captured = zoo(go_version)
    for name, variable in (("taken", "main.taken.b"), ("spilled", "main.spilled.b")):
        (address,) = captured.bodies[name]
        (found,) = roots_at(reread(captured), address)
        assert found.path == f":{variable}"


def test_without_spill_slots_an_argument_is_lost(go_version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    captured = zoo(go_version)
    monkeypatch.setattr(stackscan, "argument_words", lambda plan: ())
    # Go 1.21 keeps a copy among the locals unless the argument's address is taken.
    for name in ("taken",) if release(go_version) < (1, 22) else ("taken", "spilled"):
        (address,) = captured.bodies[name]
        assert roots_at(reread(captured), address) == []


def test_registers_and_preempted_frames_are_conservative_roots_with_names(go_version: str) -> None:
    captured = zoo(go_version, "spin")
    found = [r for address in captured.bodies["spin"] for r in roots_at(captured.roots, address)]
    texts = [r.text for r in found if r.text.endswith(":main.spin.b")]
    assert len(captured.bodies["spin"]) == 3
    assert sum("[running] main.spin" in t for t in texts) == 2
    assert sum("[runnable] main.spin" in t for t in texts) == 1
    assert all(r.conservative for r in found)


def test_goroutines_in_c_and_called_from_c_keep_what_their_go_frames_hold(go_version: str) -> None:
    captured = zoo(go_version, name="cgoroots", cgo=True)
    expected = {
        "in C": r"goroutine \d+ \[syscall\] main\.inC:main\.inC\.b",
        "burning": r"goroutine \d+ \[syscall\] main\.burns:main\.burns\.b",
        "calling": r"goroutine \d+ \[chan receive\] main\.goCallback:main\.calls\.b",
        "below a callback": r"goroutine \d+ \[chan receive\] main\.goCallback:main\.goCallback\.b",
    }
    for name, pattern in expected.items():
        texts = [r.text for r in captured.roots_of(name)]
        assert any(re.fullmatch(pattern, text) for text in texts), texts
    assert captured.goroutines.notes == []


def test_roots_of_the_runtime_and_of_the_library_stay_in_their_layers(go_version: str) -> None:
    nodes = {node.name: node for node in zoo(go_version).roots.nodes}
    assert nodes["main.globalBody"].layer == Layer.PROGRAM
    assert nodes["main.globalBody"].package == "main"
    assert nodes["os.Stdout"].layer == Layer.STDLIB
    assert nodes["runtime.allgs"].layer == Layer.RUNTIME
    goroutines = [node for node in nodes.values() if node.goroutine >= 0]
    waiting = [node for node in goroutines if "[chan receive] main." in node.name]
    assert waiting
    assert {node.layer for node in waiting} == {Layer.PARKED}
    assert {node.layer for node in goroutines if "[syscall]" in node.name} == {Layer.RUNNING}
    assert {node.layer for node in goroutines if "GC worker" in node.name} <= {Layer.RUNTIME}


def test_a_finalizer_keeps_what_its_object_points_to_but_not_the_object(go_version: str) -> None:
    captured = zoo(go_version)
    snapshot = read_heap(captured.image)
    reached = _reached(snapshot)
    rows = {name: _row(snapshot, captured.bodies[name][0]) for name in _FINALIZER_BODIES}
    assert not reached[rows["finalized object"]]
    assert reached[rows["finalizer"]]
    assert reached[rows["finalizer function"]]
    awaiting = snapshot.columns.object_flags & np.uint16(ObjectFlag.AWAITING_FINALIZER)
    assert awaiting[rows["finalized object"]]


def test_with_finalized_objects_as_roots_none_would_await(
    go_version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rootobjects, "finalizer_roots", lambda objects, nodes, *edges: (nodes, objects))
    captured = zoo(go_version)
    snapshot = read_heap(captured.image)
    assert _reached(snapshot)[_row(snapshot, captured.bodies["finalized object"][0])]


_FINALIZER_BODIES = ("finalized object", "finalizer", "finalizer function")


def test_finalizer_roots_are_the_targets_of_the_objects_edges() -> None:
    start = np.array([0, 2, 2, 5], np.int64)
    target = np.array([1, 2, 0, 1, 2], np.uint32)
    objects, node = np.array([2, 1, 0], np.uint32), np.array([7, 8, 9], np.int32)
    nodes, targets = finalizer_roots(objects, node, start, target)
    assert nodes.tolist() == [7, 7, 7, 9, 9]
    assert targets.tolist() == [0, 1, 2, 1, 2]


def test_nothing_that_survived_a_forced_collection_is_unreached(go_version: str) -> None:
    captured = zoo(go_version)
    snapshot = read_heap(captured.image)
    lost = ~_reached(snapshot) & ((snapshot.columns.object_flags & int(ObjectFlag.SURVIVED)) != 0)
    assert snapshot.columns.object_address[lost].tolist() == []
