"""The runtime is found, or said not to be, at whatever instant a program was stopped.

One image of a program is changed into what it would have been had it been stopped between two instructions of
the runtime; the functions that the instants are of are named with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from goretain.capture.image import Image
from goretain.golang.layout import Layout, open_layout
from goretain.golang.locate.locate import locate
from tests.support.golang import VERSIONS, go_program, running, wait_until_blocked
from tests.support.heaps import image_of

_SHORT = (VERSIONS[0], VERSIONS[-1])
_RECORD = ("fn", "nret", "fint", "ot", "arg")  # as runtime.queuefinalizer writes them
_CLEARED = ("fn", "arg", "ot")  # as runtime.runFinalizers clears them


class Stopped:
    """An image whose words can be changed, by the names that Go gives them."""

    def __init__(self, image: Image, layout: Layout) -> None:
        self.image, self.layout = image, layout
        self._whole = image.words.copy()

    def at(self, name: str) -> int:
        """Run-time address of a variable."""
        return self.layout.symbol(name) + self.image.bias

    def field(self, address: int, struct: str, *path: str) -> int:
        """Address of a field."""
        return address + self.layout.offset(struct, *path)

    def put(self, address: int, value: int, width: int = 8) -> None:
        """Change a word, or a part of it."""
        at = int(self.image.locate(np.array([address]))[0])
        self.image.words.view(np.uint8)[at : at + width] = list(value.to_bytes(width, "little"))

    @contextmanager
    def instant(self) -> Iterator[None]:
        """What is changed inside is as before afterwards."""
        try:
            yield
        finally:
            self.image.words[:] = self._whole

    def found(self) -> dict[str, int]:
        """Link addresses by name."""
        return locate(self.image.read, self.layout.elf, self.image.bias, self.layout)

    @property
    def block_type(self) -> str:
        return "runtime.finBlock" if self.layout.has_struct("runtime.finBlock") else "runtime.finblock"

    def count(self, block: int) -> int:
        """Records of a block of finalizers."""
        return int.from_bytes(self.image.read(self.field(block, self.block_type, "cnt"), 4), "little")

    def record(self, block: int, i: int, field: str) -> int:
        """Address of a field of a queued finalizer."""
        first, size = self.field(block, self.block_type, "fin"), self.layout.size("runtime.finalizer")
        return self.field(first + i * size, "runtime.finalizer", field)

    def says(self, name: str) -> bool:
        """Whether a variable is found with the value that it has."""
        at = self.found().get(name)
        return at is not None and self.image.uint(at + self.image.bias) == self.image.uint(self.at(name))


@pytest.fixture(
    scope="module",
    params=[pytest.param(v, marks=() if v in _SHORT else (pytest.mark.long,)) for v in VERSIONS],
)
def stopped(request: pytest.FixtureRequest) -> Stopped:
    with running(go_program("exact", request.param), ["queued"]) as target:
        wait_until_blocked(target.pid)
        image = image_of(target.pid)
    return Stopped(image, open_layout(image.binary))


def _room(s: Stopped) -> int:
    """Address of zeroed memory of a persistent chunk: what a fixed-size allocator has yet to give out."""
    return s.image.uint(s.field(s.at("runtime.mheap_"), "runtime.mheap", "specialfinalizeralloc", "chunk"))


def _block(s: Stopped) -> int:
    return s.image.uint(s.at("runtime.allfin"))


def _finalizer(s: Stopped) -> tuple[int, int]:
    """Block and number of a queued finalizer that is not the last: Go 1.24 queues cleanups there too."""
    block = _block(s)
    while block:
        for i in range(s.count(block) - 1):
            if s.image.uint(s.record(block, i, "fint")):
                return block, i
        block = s.image.uint(s.field(block, s.block_type, "alllink"))
    pytest.fail("no finalizer is queued")


@pytest.mark.parametrize("pointed", [True, False])
def test_a_freed_special_alone_on_its_list_is_no_queue(stopped: Stopped, pointed: bool) -> None:
    """runtime.freeSpecial: next is 0, the kind stands where a block has its count, the function follows."""
    s, special = stopped, "runtime.specialfinalizer"
    heap, at = s.at("runtime.mheap_"), _room(stopped)
    assert not any(s.image.read(at, s.layout.size(special)))
    with s.instant():
        s.put(s.field(at, special, "special", "kind"), 1, 1)
        for name in ("fn", "nret", "fint", "ot"):
            s.put(s.field(at, special, name), s.image.uint(s.record(*_finalizer(s), name)))
        s.put(s.field(heap, "runtime.mheap", "specialfinalizeralloc", "list"), at)
        if not pointed:  # nor any other word that leads to it
            s.put(s.field(heap, "runtime.mheap", "specialfinalizeralloc", "list"), 0)
            s.put(s.at("runtime.finc"), at)
        assert s.says("runtime.allfin")
        s.put(s.at("runtime.allfin"), 0)  # and when no finalizer was ever queued
        s.put(s.at("runtime.finq"), 0)
        assert "runtime.allfin" not in s.found()


def test_a_record_that_is_half_written_or_cleared(stopped: Stopped) -> None:
    s, block = stopped, _block(stopped)
    last = s.count(block) - 1
    for done in range(len(_RECORD)):
        with s.instant():
            for name in _RECORD[done:]:
                s.put(s.record(block, last, name), 0)
            assert s.says("runtime.allfin"), _RECORD[done:]
    for done in range(len(_CLEARED)):
        with s.instant():
            for name in _CLEARED[: done + 1]:
                s.put(s.record(block, last, name), 0)
            assert s.says("runtime.allfin"), _CLEARED[: done + 1]


def test_blocks_full_and_empty_and_taken_by_the_finalizer_goroutine(stopped: Stopped) -> None:
    s, old = stopped, _block(stopped)
    room = s.layout.array_length(s.block_type, "fin")
    # A zeroed block, as long as the allocator of the specials has as much left.
    new, size = _room(s), s.layout.size(s.block_type)
    if any(s.image.read(new, size)):
        pytest.fail("no room for a second block")
    with s.instant():
        for i in range(1, room):
            for name in _RECORD:
                s.put(s.record(old, i, name), s.image.uint(s.record(old, 0, name)))
        s.put(s.field(old, s.block_type, "cnt"), room, 4)
        for finq in (old, 0):
            s.put(s.at("runtime.finq"), finq)
            assert s.says("runtime.allfin"), "full"
        s.put(s.field(new, s.block_type, "alllink"), old)
        s.put(s.at("runtime.allfin"), new)
        for finq, finc in ((old, new), (0, new), (new, 0), (new, old)):
            s.put(s.at("runtime.finq"), finq)
            s.put(s.at("runtime.finc"), finc)
            assert s.says("runtime.allfin"), (finq, finc)


def test_a_list_with_one_record_that_is_none_is_no_queue(stopped: Stopped) -> None:
    s, (block, queued) = stopped, _finalizer(stopped)
    function = s.image.uint(s.record(block, queued, "fn"))
    for field, value in (
        ("fn", 0),
        ("fn", block),
        ("arg", 0),
        ("nret", 1 << 40),
        ("nret", 3),
        ("ot", function + 1),
        ("fint", 1 << 50),
    ):
        with s.instant():
            s.put(s.record(block, queued, field), value)
            assert "runtime.allfin" not in s.found(), (field, value)
    with s.instant():  # a record behind the last
        s.put(s.record(_block(s), s.count(_block(s)), "arg"), function)
        assert "runtime.allfin" not in s.found()


def test_cleanups_that_run(stopped: Stopped) -> None:
    s, block_type, header = stopped, "runtime.cleanupBlock", "cleanupBlockHeader"
    if not s.layout.has_struct(block_type):
        assert "runtime.gcCleanups" not in s.found()
        return
    block = s.image.uint(s.field(s.at("runtime.gcCleanups"), "runtime.cleanupQueue", "all", "value"))
    while s.image.uint(s.field(block, block_type, header, "n")) & 0xFFFFFFFF < 3:
        block = s.image.uint(s.field(block, block_type, header, "alllink"))
    first = s.field(block, block_type, "cleanups")
    size = s.layout.size("runtime.cleanupFn") if s.layout.has_struct("runtime.cleanupFn") else 8
    with s.instant():
        for turn in range(2):  # runtime.runCleanups
            for at in range(first + turn * size, first + (turn + 1) * size, 8):
                s.put(at, 0)
                assert s.found()["runtime.gcCleanups"] == s.layout.symbol("runtime.gcCleanups"), at
    with s.instant():  # none is cleared before those in front of it
        s.put(first, s.image.uint(first + 2 * size))
        s.put(first + size, 0)
        assert "runtime.gcCleanups" not in s.found()


def _new_thread(s: Stopped) -> None:
    """runtime.allocm: listed, and the g of its scheduler is still to be made."""
    s.put(s.field(s.image.uint(s.at("runtime.allm")), "runtime.m", "g0"), 0)


def _newer_thread(s: Stopped) -> None:
    """runtime.allocm: the g of its scheduler does not name it yet."""
    g0 = s.image.uint(s.field(s.image.uint(s.at("runtime.allm")), "runtime.m", "g0"))
    s.put(s.field(g0, "runtime.g", "m"), 0)


def _ended_thread(s: Stopped) -> None:
    """runtime.mexit: taken from the list, and not counted yet."""
    m = s.image.uint(s.at("runtime.allm"))
    s.put(s.at("runtime.allm"), s.image.uint(s.field(m, "runtime.m", "alllink")))
    s.put(s.field(m, "runtime.m", "gsignal"), 0)
    s.put(s.field(s.at("runtime.sched"), "runtime.schedt", "freem"), m)
    s.put(s.field(s.at("runtime.sched"), "runtime.schedt", "nmfreed"), 0)


def _new_itab(s: Stopped) -> None:
    """runtime.itabTableType.add: written, and not counted yet."""
    table = s.image.uint(s.at("runtime.itabTable"))
    at = s.field(table, "runtime.itabTableType", "count")
    s.put(at, s.image.uint(at) - 1)


def _new_chunk(s: Stopped) -> None:
    """runtime.persistentalloc1: the chunk names the list, and is not in it yet."""
    spans = s.image.uint(s.field(s.at("runtime.mheap_"), "runtime.mheap", "allspans"))
    chunk = -(-spans // 4096) * 4096 + 4096
    s.put(chunk, s.image.uint(s.at("runtime.persistentChunks")))
    s.put(s.at("runtime.globalAlloc"), chunk)
    s.put(s.at("runtime.globalAlloc") + 8, 64)


@pytest.mark.parametrize("change", [_new_thread, _newer_thread, _ended_thread, _new_itab, _new_chunk])
def test_what_is_always_there_is_found(stopped: Stopped, change: Callable[[Stopped], None]) -> None:
    with stopped.instant():
        change(stopped)
        found = stopped.found()
        for name in ("runtime.allm", "runtime.itabTable", "runtime.persistentChunks", "runtime.allgs"):
            assert found[name] == stopped.layout.symbol(name), name
