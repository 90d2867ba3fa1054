"""What if: which pointers a chain stands for, and what comes back without them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from goretain.heap import Heap
from goretain.model.errors import UsageError
from goretain.snapshot import Layer
from tests.unit.heap.records import ANY, ARRAY, BODY, NEXT, record_heap


def library() -> Heap:
    """main.list -> 0 -> 1 -> 2 with bodies 3, 4, 5, a goroutine -> 2; main.slots -> 6 -> 7 and 8, 7 -> 11;
    main.shelves -> 9 and 10."""
    h = record_heap()
    records = h.objects(3, 64, "main.Record")
    bodies = [h.object(100 << k, "byte", ARRAY) for k in range(3)]
    for record, body in zip(records, bodies, strict=True):
        h.edge(record, body, BODY)
    for one, other in pairwise(records):
        h.edge(one, other, NEXT)
    h.root("main.list", records[0])
    h.root("goroutine 7 [select] main.reader", records[2], layer=Layer.PARKED, path=":r")
    array = h.object(128, "main.Record", ARRAY)
    first, last = h.objects(2, 64, "main.Record")
    h.edge(array, first, NEXT)
    h.edge(array, last, 8 + NEXT)
    for k in range(2):
        h.root("main.shelves", h.object(32, "main.Record", ARRAY), path=f"[{k}].books")
    h.edge(first, h.object(48, "main.Record"), ANY)
    h.root("main.slots", array)
    return Heap(h.build())


@pytest.mark.parametrize(
    ("named", "freed"),
    [
        (["main.list"], [0, 1, 3, 4]),
        (["main.list", "goroutine 7"], [0, 1, 2, 3, 4, 5]),
        (["main.list.Next"], [1, 4]),
        (["main.list.Next.Next"], []),
        (["main.list.Next.Next", "goroutine 7 [select] main.reader:r"], [2, 5]),
        (["main.list.Body (len 3, cap 100) -> [100]uint8"], [3]),
        (["main.list.Body", "main.list.Next.Body"], [3, 4]),
        (["goroutine 7 [select] main.reader:r.Body", "main.list.Next.Next.Body"], [5]),
        (["main.slots[0].Next"], [7, 11]),
        (["main.slots[1].Next"], [8]),
        (["main.slots[*].Next"], [7, 8, 11]),
        (["main.slots[0].Next.Any"], [11]),
        (["main.shelves[1].books"], [10]),
        (["main.shelves[*].books"], [9, 10]),
        (["main.shelves"], [9, 10]),
    ],
)
def test_what_a_chain_stands_for_comes_back(named: list[str], freed: list[int]) -> None:
    assert library().without(named).freed.tolist() == freed


@pytest.mark.parametrize(
    ("named", "hint"),
    [
        ("main.lis", "main.list"),
        ("main.list.Nex", "main.list"),
        ("main.list.Next.Next.Next", "main.list"),
        ("main.slots[2].Next", "main.slots"),
        ("main.list.Next×2", "write out what × and … stand for"),
    ],
)
def test_what_no_pointer_is_called_is_an_error(named: str, hint: str) -> None:
    with pytest.raises(UsageError, match="no holder of this heap, and no pointer in one, is called") as error:
        library().without([named])
    assert hint in error.value.hint
