"""Nothing is lost that peers lose, and what holds nothing holds nothing.

``tests/zoo/lost`` keeps objects in the ways in which goref (cloudwego/goref, commit 3a10bfe) and viewcore
(golang/debug, commit 4da508d) lose them or their names: each must have its holder and its chain. Said of the
peers is what their sources do. Weak pointers and what package unique keeps for itself are no holders.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from _pytest.mark.structures import ParameterSet

from goretain.heap.heap import Heap
from tests.support.golang import VERSIONS, go_program, release, running
from tests.support.heaps import snapshot_of

_SLOT = 1024  # of a body of 1000 bytes


class Way(NamedTuple):
    """How many objects are kept, by whom, how the chain to each goes on, the first release that has it."""

    objects: int
    holder: str
    chain: str
    since: tuple[int, int] = (1, 21)


WAYS = {
    # Method values: goref finds no description of the wrapper's closure (main.(*server).handle-fm), so that
    # receivers count as $sub_objects$ of what was scanned before; viewcore types them by the first parameter
    # of the method, and leaves them unknown where the method was inlined into the wrapper.
    "method": Way(
        3, "main.methods", r"\[\d\] \(closure main\.\(\*server\)\.handle-fm captured receiver\)\.body"
    ),
    "copied": Way(3, "main.copied", r"\[\d\] \(closure main\.point\.draw-fm captured receiver\.body\)"),
    # Captures: goref reads DW_AT_go_closure_offset, which Go 1.21 and 1.22 do not write: $sub_objects$ there;
    # viewcore takes a closure for one word of unknown type. (X1: no capture has a name in Go 1.21, 1.22.)
    "captured": Way(3, "main.closures", r"\[\d\] \(closure main\.captures\.func1 captured (b|X1)\)"),
    "nested": Way(3, "main.nested", r"\[\d\] \(closure main\.both\.func1 captured (b|X1)\)"),
    # Arguments of cleanups: viewcore skips all specials but finalizers ("can't point into the heap"); goref
    # reads specialCleanup.cleanup.fn from Go 1.26 on, and not arg beside it.
    "argument": Way(3, "cleanup main.release", r"\.(argument|function)", (1, 24)),
    "cleanup": Way(3, "cleanup main.cleaned.func1", r"\.function", (1, 24)),
    # Arrays: viewcore applies the pointer mask of a malloc header once, to the first element of an array of
    # 512 bytes to 32 KiB ("Allocation headers" in gocore/process.go).
    "row": Way(100, "main.rows", r"\[\d+\]\.body"),
    "table": Way(10, "main.table", r"\[\d+\]\.body"),
    # Direct interfaces: goref follows pointers only, what is in a struct, an array or a channel has no type;
    # viewcore fails on an array in a struct, and looks for the pointer of an interface in a variable 8 bytes
    # behind the variable's beginning, not the interface's (Type.forEachPointer).
    "struct": Way(3, "main.structs", r"\[\d\]\.\(main\.body\)"),
    "array": Way(3, "main.arrays", r"\[\d\]\.\(main\.body\)"),
    "channel": Way(3, "main.channels", r"\[\d\]"),
    "inside": Way(1, "main.inside", r"\.value"),
    "local": Way(1, "goroutine", r" \d+ \[sleep\] main\..*held\.value"),
}
#: What a cleanup is given is a copy of which nothing says the type.
_UNTYPED = ("argument",)


def _versions(since: tuple[int, int] = (1, 21)) -> list[ParameterSet]:
    short = (VERSIONS[1], VERSIONS[-1])
    return [
        pytest.param(v, marks=[] if v in short else pytest.mark.long) for v in VERSIONS if release(v) >= since
    ]


@cache
def _captured(version: str) -> tuple[Heap, dict[str, list[int]]]:
    """The heap, and the objects of each way by address."""
    with running(go_program("lost", version)) as target:
        heap, rows = Heap(snapshot_of(target.pid)), target.facts["at"]
    number = {address: k for k, address in enumerate(heap.snapshot.columns.object_address.tolist())}
    objects: dict[str, list[int]] = {}
    for way, address in rows:
        objects.setdefault(way, []).append(number[int(address)])
    return heap, objects


@pytest.mark.parametrize("version", _versions())
@pytest.mark.parametrize("name", WAYS)
def test_what_peers_lose_has_its_holder_its_chain_and_its_bytes(version: str, name: str) -> None:
    heap, objects = _captured(version)
    way, roots = WAYS[name], heap.snapshot.roots
    if release(version) < way.since:
        assert name not in objects
        return
    ids = np.array(objects[name], np.uint32)
    assert len(ids) == way.objects
    assert heap.graph.retained(ids).tolist() == [_SLOT] * way.objects
    for object_id in ids.tolist():
        assert roots[heap.holder_of(object_id)].name.startswith(way.holder)
        text = heap.chain(object_id).text
        assert re.match(re.escape(way.holder) + way.chain, text), text
        assert name in _UNTYPED or heap.type_of(object_id) == "main.body"


@pytest.mark.parametrize("version", _versions((1, 24)))
def test_weak_pointers_hold_nothing(version: str) -> None:
    heap, objects = _captured(version)
    for object_id in objects["weakly"]:
        assert heap.snapshot.roots[heap.holder_of(object_id)].name == "main.kept"
        assert heap.also_from(object_id) == []
    # Made after the last collection: still there, and no longer in use.
    assert not heap.graph.reached[objects["dropped"]].any()


@pytest.mark.parametrize("version", _versions((1, 23)))
def test_only_handles_hold_unique_values(version: str) -> None:
    heap, objects = _captured(version)
    values = np.array(objects["unique"], np.uint32)
    assert {heap.snapshot.roots[heap.holder_of(k)].name for k in values.tolist()} == {"main.handles"}
    assert all(heap.also_from(k) == [] for k in values.tolist())
    freed = heap.without(["main.handles"]).freed
    assert np.isin(values, freed).all()
