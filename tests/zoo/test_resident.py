"""RSS explained: the parts are the runtime's and C's own figures, and add up to the kernel's RSS.

``resident`` has known bytes of each kind. It is stopped while it is looked at: what the kernel says
afterwards is then of the same instant.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from goretain.capture.frozen.process import capture_process
from goretain.capture.image import Image
from goretain.capture.imagefile.reader import read_image
from goretain.capture.imagefile.writer import write_image
from goretain.golang.read import read_heap
from goretain.reports.memory import rss_section, span_section
from goretain.reports.results import RssPart
from goretain.snapshot import Memory, Snapshot
from tests.support.golang import VERSIONS, Target, go_program, running, wait_until_blocked
from tests.support.heaps import plan_for

_SLACK = 1 << 20
_LAZY = {"GODEBUG": "madvdontneed=0"}  # pages are offered to the kernel, which takes them when it needs them


@dataclass(frozen=True, slots=True)
class Look:
    """One capture of ``resident``; rss: sum of the Rss lines of its smaps."""

    mode: str
    target: Target
    rss: int
    image: Image
    snapshot: Snapshot
    memory: Memory
    parts: dict[str, RssPart]


def _cases() -> Iterator[object]:
    for version in VERSIONS:
        marks = () if version in (VERSIONS[0], VERSIONS[-1]) else (pytest.mark.long,)
        for mode in ("kept", "released"):
            yield pytest.param((version, mode, ""), id=f"{version}-{mode}", marks=marks)
        yield pytest.param((version, "released", "-s -w"), id=f"{version}-stripped", marks=pytest.mark.long)


@pytest.fixture(scope="module", params=_cases())
def look(request: pytest.FixtureRequest) -> Look:
    version, mode, linking = request.param
    flags = [f"-ldflags={linking}"] if linking else []
    program = go_program("resident", version, cgo=True, flags=flags)
    with running(program, [mode], env=_LAZY if mode == "released" else {}) as target:
        wait_until_blocked(target.pid)
        os.kill(target.pid, signal.SIGSTOP)
        image = capture_process(target.pid, plan_for)
        rss = _kernel(target.pid)
    snapshot = read_heap(image)
    assert snapshot.memory is not None
    section = rss_section(snapshot)
    return Look(mode, target, rss, image, snapshot, snapshot.memory, {p.part: p for p in section.parts})


def _kernel(pid: int) -> int:
    """RSS of a process as its page tables say it; /proc/PID/statm may lag behind."""
    lines = Path(f"/proc/{pid}/smaps").read_text().splitlines()
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Rss:"))


def test_the_parts_add_up_to_the_rss_that_the_kernel_shows(look: Look) -> None:
    assert sum(part.bytes for part in look.parts.values()) == look.rss
    assert look.memory.rss == look.snapshot.meta.rss_bytes == look.rss
    assert rss_section(look.snapshot).rss_bytes == look.rss
    assert look.memory.swapped == 0


def test_memory_of_c_and_of_mmap_is_outside_the_go_heap(look: Look) -> None:
    known = look.target.fact("malloc") + look.target.fact("mapped")
    # Besides, C has stacks of threads, its libraries' variables and what malloc rounds up.
    assert known <= look.parts["outside-go"].bytes <= known + _SLACK
    brk = look.target.fact("brk")
    assert look.memory.malloc_resident is not None
    assert brk <= look.memory.malloc_resident <= brk + _SLACK


def test_the_heap_is_what_the_runtime_counts(look: Look) -> None:
    target, parts = look.target, look.parts
    assert parts["heap-in-use"].of_bytes is not None
    # The runtime has more to do before it rests: to print, and to sweep.
    assert abs(parts["heap-in-use"].of_bytes - target.fact("HeapInuse")) <= _SLACK
    in_use = parts["heap-in-use"].bytes
    assert abs(target.fact("HeapInuse") - target.fact("untouched") - in_use) <= _SLACK
    assert 0 < parts["stacks"].bytes <= target.fact("StackInuse")
    # The runtime's counters, or where no symbols lead to them what they count.
    assert parts["stacks"].of_bytes == target.fact("StackInuse")
    assert look.memory.heap_released is not None
    assert look.memory.heap_released >= target.fact("released") - _SLACK


def test_idle_pages_are_resident_until_they_are_returned(look: Look) -> None:
    target, parts = look.target, look.parts
    idle, released = parts["heap-idle"].bytes, parts["heap-released"].bytes
    dropped = target.fact("dropped")
    if look.mode == "kept":
        # The scavenger goes on; what it has left by now the runtime counts as free, and most was touched.
        assert released == 0
        free = parts["heap-idle"].of_bytes
        assert free is not None
        assert free * 0.9 - _SLACK <= idle <= free + _SLACK
        assert _SLACK < idle <= target.fact("free") + _SLACK
    else:  # offered to the kernel, which has taken nothing
        assert idle <= _SLACK
        assert dropped - _SLACK <= released <= target.fact("released")


def test_an_image_file_holds_what_was_resident(look: Look, tmp_path: Path) -> None:
    parts: list[bytes] = []
    write_image(look.image, parts.append, debuginfo=False)
    (tmp_path / "image").write_bytes(b"".join(parts))
    assert read_image(tmp_path / "image").facts.resident == look.image.facts.resident


def test_few_objects_keep_many_spans(look: Look) -> None:
    section = span_section(look.snapshot, top=100)
    (row,) = (row for row in section.classes if row.slot_bytes == 64)
    few = look.target.fact("few")
    assert few * 0.95 <= row.sparse_spans <= few * 1.1
    assert few * 0.95 <= row.sparse_objects <= few * 1.2
    assert row.sparse_bytes == row.sparse_spans * 8192
    assert row.excess_bytes >= 0.9 * row.sparse_bytes
    assert section.total.span_bytes == look.snapshot.meta.totals.in_use_bytes
    assert section.total.objects == look.snapshot.meta.totals.live_objects
    assert section.total.object_bytes == look.snapshot.meta.totals.live_bytes
