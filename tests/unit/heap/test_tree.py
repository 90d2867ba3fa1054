"""Merged chains: what alike links are called, where lists end, and what a user's word stands for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from goretain.heap import Heap
from goretain.heap.choose import choose
from goretain.heap.tree import ChainTree, goroutine_groups
from goretain.kernels.merge import Chained, merge_chains
from goretain.model.errors import UsageError
from goretain.snapshot import Layer, Snapshot
from tests.support.heapdsl import HeapBuilder
from tests.unit.heap.records import ANY, ARRAY, BODY, NEXT, record_heap


def tree_of(snapshot: Snapshot) -> ChainTree:
    return Heap(snapshot).chains(np.ones(snapshot.object_count, np.bool_))


def shown(tree: ChainTree) -> dict[tuple[str, str | None], tuple[int, int]]:
    """Chain and type of every leaf -> objects and bytes."""
    return {("".join(tree.chain(leaf.node)), leaf.type): (leaf.objects, leaf.bytes) for leaf in tree.leaves}


def test_elements_of_a_slice_are_one_link() -> None:
    h = record_heap()
    array = h.object(64, "*main.Record", ARRAY)
    for word in range(8):
        record = h.object(64, "main.Record")
        h.edge(array, record, word)
        h.edge(record, h.object(32, "byte", ARRAY), BODY)
    h.root("main.all", array)
    assert shown(tree_of(h.build())) == {
        ("main.all", "[]*main.Record"): (1, 64),
        ("main.all[*]", "main.Record"): (8, 512),
        ("main.all[*].Body", "[]byte"): (8, 256),
    }


def test_a_list_is_one_node_with_its_loop() -> None:
    h = record_heap()
    records = h.objects(5000, 64, "main.Record")
    for one, other in pairwise(records):
        h.edge(one, other, NEXT)
    h.root("main.list", records[0], path=".head")
    tree = tree_of(h.build())
    assert shown(tree) == {("main.list.head", "main.Record"): (5000, 320_000)}
    (node,) = tree.loops
    assert tree.loops[node] == (".Next",)


def test_a_tree_of_interfaces_comes_back_to_where_it_was() -> None:
    h = record_heap()
    records = h.objects(127, 64, "main.Record")
    for k, record in enumerate(records[:63]):
        h.edge(record, records[2 * k + 1], NEXT)
        h.edge(record, records[2 * k + 2], ANY)
    h.root("main.tree", records[0], path=".root")
    tree = tree_of(h.build())
    assert shown(tree) == {("main.tree.root", "main.Record"): (127, 127 * 64)}
    assert set(*tree.loops.values()) == {".Next", ".Any.(main.Record)"}


def test_chains_of_unknown_types_end() -> None:
    h = HeapBuilder()
    objects = h.objects(3000, 16)
    for one, other in pairwise(objects):
        h.edge(one, other, 1)
    h.root("main.what", objects[0])
    tree = tree_of(h.build())
    assert sum(leaf.objects for leaf in tree.leaves) == 3000
    assert len(tree.parent) < 5


def test_what_two_holders_share_stands_under_both() -> None:
    h = record_heap()
    left, right, both = h.objects(3, 64, "main.Record")
    h.edge(left, both, NEXT)
    h.edge(right, both, ANY)
    h.root("main.left", left)
    h.root("main.right", right)
    chains, dominators = tree_of(h.build()), Heap(h.build()).dominators
    assert shown(chains)["main.left and main.right via main.left.Next", "main.Record"] == (1, 64)
    assert shown(dominators)["main.left and main.right … main.Record", "main.Record"] == (1, 64)


def test_what_a_diamond_holds_is_dominated_by_its_top() -> None:
    h = record_heap()
    top, left, right, low = h.objects(4, 64, "main.Record")
    body = h.object(32, "byte", ARRAY)
    for source, word, target in ((top, NEXT, left), (top, ANY, right), (left, ANY, low), (right, ANY, low)):
        h.edge(source, target, word)
    h.edge(low, body, BODY)
    h.root("main.top", top, path=".m")
    tree = Heap(h.build()).dominators
    assert shown(tree)["main.top.m.Body", "[]byte"] == (1, 32)
    assert " … main.Record" in tree.loops[tree.children[tree.children[-1][0]][0]]


def test_goroutines_of_one_function_can_be_one_holder() -> None:
    h = record_heap()
    shared = h.object(64, "main.Record")
    for k in range(3):
        record = h.object(64, "main.Record")
        h.edge(record, shared, NEXT)
        h.root(f"goroutine {k} [select] main.worker", record, layer=Layer.PARKED, path=":r")
    alone = h.object(64, "main.Record")
    h.root("goroutine 9 [sleep] main.other", alone, layer=Layer.PARKED, path=":r")
    heap = Heap(h.build())
    tree = heap.chains(np.ones(5, np.bool_), goroutine_groups(heap.snapshot))
    assert shown(tree) == {
        ("3 goroutines [select] main.worker:r", "main.Record"): (4, 256),
        ("goroutine 9 [sleep] main.other:r", "main.Record"): (1, 64),
    }
    assert len(shown(heap.chains(np.ones(5, np.bool_)))) == 5


def test_a_tree_that_grows_too_large_keeps_every_object() -> None:
    n = 100
    order = np.arange(n, dtype=np.uint32)
    parent = np.full(n, n, np.uint32)
    link = np.arange(1, n + 1, dtype=np.int32)
    chained = Chained(order, parent, np.zeros(n, np.int32), link, np.full(n, -1, np.int32))
    merged = merge_chains(chained, np.ones(n, np.bool_), 1, limit=8)
    assert merged.full
    assert len(merged.parent) == 9
    assert np.bincount(merged.node.astype(np.int64)).sum() == n


def _records() -> Heap:
    h = record_heap()
    first, second = h.objects(2, 64, "main.Record")
    h.edge(first, h.object(64, "byte", ARRAY), BODY)
    h.root("main.first", first)
    h.root("goroutine 18 [chan receive] main.worker", second, layer=Layer.PARKED)
    h.object(48, "main.Record")  # garbage
    return Heap(h.build())


@pytest.mark.parametrize(
    ("what", "kind", "name", "objects"),
    [
        ("main.Record", "type", "main.Record", [0, 1, 3]),
        ("[]byte", "type", "[]byte", [2]),
        ("main.*", "holder", "main.first", [0, 2]),
        ("*Record", "type", "*Record", [0, 1, 3]),
        ("main.first", "holder", "main.first", [0, 2]),
        ("goroutine 18", "holder", "goroutine 18 [chan receive] main.worker", [1]),
        ("goroutine * main.worker", "holder", "goroutine 18 [chan receive] main.worker", [1]),
        ("2", "object", "[]byte at 0xc000000090", [2]),
        ("0xc000000000", "object", "main.Record at 0xc000000000", [0]),
        ("0xc00000003F", "object", "main.Record at 0xc000000000", [0]),
    ],
)
def test_a_word_stands_for_a_type_an_object_or_a_holder(
    what: str, kind: str, name: str, objects: list[int]
) -> None:
    choice = choose(_records(), what)
    assert (choice.kind, choice.name) == (kind, name)
    assert np.flatnonzero(choice.objects).tolist() == objects


@pytest.mark.parametrize(
    ("what", "says", "hint"),
    [
        ("main.Recrod", "no type and no holder of this heap is called 'main.Recrod'", "main.Record"),
        ("record", "no type and no holder of this heap is called 'record'", "main.Record"),
        ("worker", "no type and no holder of this heap is called 'worker'", "goroutine 18 [chan"),
        ("x*", "no type and no holder of this heap is called 'x*'", "lists types and holders"),
        ("4", "there is no object 4: they are numbered from 0 to 3", "0xc000012340"),
        ("9" * 30, f"there is no object {'9' * 30}: they are", "an address"),
        ("0xc000000040", "no object of this heap lies at 0xc000000040", "stacks and globals are roots"),
        ("0x" + "f" * 40, f"no object of this heap lies at 0x{'f' * 40}", "roots"),
        ("0x0", "no object of this heap lies at 0x0", "roots"),
    ],
)
def test_a_word_that_fits_nothing_gets_a_hint(what: str, says: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        choose(_records(), what)
    assert raised.value.message.startswith(says)
    assert hint in raised.value.hint


def test_a_field_of_a_variable_can_let_go_alone() -> None:
    h = record_heap()
    first, second = h.objects(2, 64, "main.Record")
    h.root("main.state", first, path=".cache")
    h.root("main.state", second, path=".cached")
    what_if = Heap(h.build()).without(["main.state.cache"])
    assert (what_if.names, what_if.freed.tolist()) == (("main.state.cache",), [first])
    with pytest.raises(UsageError, match=r"no holder .* 'main\.state\.cach'") as raised:
        Heap(h.build()).without(["main.state.cach"])
    assert "main.state" in raised.value.hint
