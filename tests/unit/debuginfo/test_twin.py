"""What may differ in the machine code of twins. Whole twins: tests/e2e/test_twins.py."""

from __future__ import annotations

import numpy as np
import pytest

from goretain.debuginfo.beside.translated import Shift, Shifts
from goretain.debuginfo.beside.twin import _Places
from goretain.debuginfo.elf.elf import Elf
from tests.support.golang import go_program

_CODE = 0x400000
_LEA = b"\x48\x8d\x3d"  # lea displacement(%rip), %rdi


@pytest.fixture(scope="module")
def places() -> _Places:
    """Of a section that is 0x1000 further on in the program than in its twin, and ends unaligned."""
    elf = Elf.open(str(go_program("exact", "1.26.6")))
    return _Places(elf, elf, Shifts([Shift(0x17A000, 0x17ABB2, 0x1000)]))


@pytest.mark.parametrize(
    ("leads", "explained"), [(0x17A010, True), (0x17ABB2, True), (0x17ABB8, True), (0x17ABC0, False)]
)
def test_code_may_name_the_aligned_end_of_a_section_that_moved(
    places: _Places, leads: int, explained: bool
) -> None:
    """crtstuff.c's deregister_tm_clones does: __TMC_END__ is the end of .data."""
    ours, theirs = (_lea(to) for to in (leads + 0x1000, leads))
    assert (len(places.unexplained(ours, theirs, _CODE, _CODE)) == 0) is explained


def _lea(to: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    displacement = to - (_CODE + len(_LEA) + 4)
    return np.frombuffer(_LEA + displacement.to_bytes(4, "little", signed=True), np.uint8)
