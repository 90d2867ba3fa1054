"""Backing array bytes against sets of bytes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.heap import Heap
from goretain.heap.backing import SIZE_CLASSES
from goretain.snapshot import ObjectFlag
from tests.support.heapdsl import HeapBuilder

Window = tuple[int, int, int]


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start, length = draw(st.integers(0, 70)), draw(st.integers(0, 70))
    return start, length, length + draw(st.integers(0, 40))


@settings(max_examples=800, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([16, 48, 64, 80]), st.booleans(), st.lists(windows(), max_size=6)),
        max_size=5,
    )
)
def test_lost_slack_and_padding_are_counted_byte_by_byte(
    objects: list[tuple[int, bool, list[Window]]],
) -> None:
    h = HeapBuilder()
    for slot, header, shown in objects:
        target = h.object(slot, flags=int(ObjectFlag.HEADER) if header else 0)
        h.root("main.all", target)
        for window in shown:
            h.slice(target, *window)
    backing = Heap(h.build()).backing
    for i, (slot, header, shown) in enumerate(objects):
        data = slot - 8 * header
        usable = {b for s, _, c in shown for b in range(s, min(s + c, data))}
        seen = {b for s, n, _ in shown for b in range(s, min(s + n, data))}
        smaller = int(max(c for c in SIZE_CLASSES if c < slot)) - 8 * header
        end = max(usable, default=-1) + 1
        array = end if end > smaller else data
        assert backing.undecided[i] == (not shown)
        if shown:
            assert backing.padding[i] == data - array
            assert backing.lost[i] == array - len(usable)
            assert backing.slack[i] == len(usable - seen)
            assert backing.hidden[i] == array - len(seen)
