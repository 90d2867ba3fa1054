"""Reading many ranges at once, shared by several threads."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest

from goretain.capture import libc
from goretain.capture.frozen.transfer import BulkReader
from goretain.model.errors import MissingMemory

SIZE = 96 << 20


@pytest.fixture
def reader() -> Iterator[BulkReader]:
    """Reads our own memory."""
    memory = os.open("/proc/self/mem", os.O_RDONLY)
    yield BulkReader(os.getpid(), memory)
    os.close(memory)


@pytest.fixture
def three_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BulkReader, "helpers", lambda _self, size: 3 if size >= 1 << 20 else 0)


def pieces(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Source bytes, and (remote, sizes, local offsets) of pieces of them of many sizes, in random order."""
    rng = np.random.default_rng(3)
    data = rng.integers(0, 256, SIZE, dtype=np.uint8)
    cuts = np.sort(rng.choice(SIZE - 1, count - 1, replace=False)) + 1
    starts, ends = np.concatenate(([0], cuts)), np.concatenate((cuts, [SIZE]))
    order = rng.permutation(count)
    return data, starts[order], (ends - starts)[order], starts[order]


@pytest.mark.parametrize("count", [1, 7, 20_000])
@pytest.mark.usefixtures("three_helpers")
def test_every_piece_arrives_at_its_place_whoever_reads_it(reader: BulkReader, count: int) -> None:
    data, starts, sizes, places = pieces(count)
    out = np.zeros(SIZE, np.uint8)
    seen: list[int] = []
    done = reader.read(starts + data.ctypes.data, sizes, places + out.ctypes.data, seen.append)
    assert done == SIZE
    assert seen == sorted(seen)
    assert np.array_equal(out, data)


@pytest.mark.usefixtures("three_helpers")
def test_a_page_that_is_not_there_is_missing_in_whichever_thread(reader: BulkReader) -> None:
    block = libc.reserve(SIZE)
    out = np.zeros(SIZE, np.uint8)
    libc.unmap(block + (SIZE // 2 & -4096), 4096)
    with pytest.raises(MissingMemory):
        reader.read(np.array([block]), np.array([SIZE]), np.array([out.ctypes.data]))
    libc.unmap(block, SIZE)


def test_reading_stops_when_the_caller_says_so(reader: BulkReader) -> None:
    data, starts, sizes, places = pieces(100)
    out = np.zeros(SIZE, np.uint8)

    asked: list[int] = []

    def stop(done: int) -> None:
        asked.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reader.read(starts + data.ctypes.data, sizes, places + out.ctypes.data, stop)
    # How far the helpers came is a race; this thread read no second batch.
    assert len(asked) == 1


def test_empty_pieces_and_no_pieces_are_read_in_no_time(reader: BulkReader) -> None:
    nothing = np.empty(0, np.int64)
    assert reader.read(nothing, nothing, nothing) == 0
    zero = np.zeros(3, np.int64)
    assert reader.read(zero, zero, zero) == 0
