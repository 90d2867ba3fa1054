"""The instruction decoder against binutils, and against bytes that are no code."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from goretain.debuginfo.elf.elf import Elf
from goretain.debuginfo.pclntab.pclntab import FuncTable
from goretain.kernels import codevalues, gocode, x86
from tests.support.golang import VERSIONS, go_program

U8 = NDArray[np.uint8]
_LINE = re.compile(r"\s+([0-9a-f]+):\t(.*)")


def _text(path: Path) -> tuple[U8, int, FuncTable]:
    elf = Elf.open(str(path))
    section, table = elf.sections[".text"], elf.sections[".gopclntab"]
    functions = FuncTable.from_section(elf.section(".gopclntab"), table.address, section.address)
    return np.frombuffer(elf.section(".text"), np.uint8), section.address, functions


def _starts(text: U8, first: NDArray[np.int64], last: NDArray[np.int64]) -> tuple[U8, int]:
    """uint8[n], 1 where an instruction of the functions [first, last) begins; how many of them hold one that
    is not known, whose rest is left out."""
    starts, given_up = np.zeros(len(text), np.uint8), 0
    ins = np.zeros(x86.WIDTH, np.int64)
    for low, high in zip(first.tolist(), last.tolist(), strict=True):
        at, end = max(low, 0), min(high, len(text))
        while at < end:
            size = x86.decode(text, at, end, x86.FORMS, ins)
            if size <= 0:
                given_up += 1
                break
            starts[at] = 1
            at += size
    return starts, given_up


def _objdump(path: Path, text: int, size: int) -> tuple[U8, U8]:
    """Where instructions begin, and those that objdump does not know."""
    tool = shutil.which("objdump")
    if tool is None:
        pytest.skip("binutils is not installed")
    command = [tool, "-d", "--no-show-raw-insn", "-j", ".text", str(path)]
    starts, bad = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            found = _LINE.match(line)
            if found:
                at = int(found[1], 16) - text
                starts[at] = 1
                bad[at] = "(bad)" in found[2]
    return starts, bad


@pytest.mark.parametrize(
    "version", [*(pytest.param(v, marks=pytest.mark.long) for v in VERSIONS[:-1]), VERSIONS[-1]]
)
def test_instructions_begin_where_objdump_says(version: str) -> None:
    program = go_program("codezoo", version)
    text, address, functions = _text(program)
    offsets = functions.entries - address
    starts, given_up = _starts(text, offsets[:-1], offsets[1:])
    wanted, bad = _objdump(program, address, len(text))
    low, high = int(offsets[0]), int(offsets[-1])
    assert not bad[low:high].any()
    assert given_up == 0
    assert starts.sum() > 100_000
    assert np.flatnonzero(starts[low:high] != wanted[low:high]).tolist() == []


#: Instructions that Go's compiler does not emit today but its assembler does: bytes, and what they are.
_RARE = [
    ("c5f877", "VZEROUPPER"),
    ("c4e279180d10000000", "VBROADCASTSS 0x10(IP), X1"),
    ("62f1fe486f4c2401", "VMOVDQU64 0x40(SP), Z1"),
    ("62f37d4825c9ff", "VPTERNLOGD $0xff, Z1, Z0, Z1"),
    ("c4e3fbf0c20b", "RORX $11, DX, AX"),
    ("660f3a0fc108", "PALIGNR $8, X1, X0"),
    ("f2480f38f1c8", "CRC32Q AX, CX"),
    ("49bb8877665544332211", "MOVQ $0x1122334455667788, R11"),
    ("48a18877665544332211", "MOVQ 0x1122334455667788, AX"),
    ("66c7042434120f", "MOVW $0x1234, (SP), then a byte"),
    ("f6440c0801", "TESTB $1, 8(SP)(CX*1)"),
    ("f7d8", "NEGL AX"),
    ("c4e1fb93c1", "KMOVQ K1, AX"),
    ("f04c0fb11d00000000", "LOCK CMPXCHGQ R11, 0(IP)"),
    ("c8100000", "ENTER"),
]


@pytest.mark.parametrize(("code", "what"), _RARE)
def test_rare_instructions_have_their_length(code: str, what: str) -> None:
    text = np.frombuffer(bytes.fromhex(code), np.uint8)
    ins = np.zeros(x86.WIDTH, np.int64)
    size = x86.decode(text, 0, len(text), x86.FORMS, ins)
    assert size == len(text) - ("then a byte" in what)
    for cut in range(1, size):
        assert x86.decode(text, 0, cut, x86.FORMS, ins) == 0, "an instruction that is cut off has no length"


def test_random_bytes_never_lead_outside() -> None:
    """Functions of random bytes: it ends, and starts nothing outside of the function that it reads."""
    random = np.random.default_rng(1)
    text = random.integers(0, 256, 1_000_000, np.uint8)
    text[::3] = random.choice(np.array([0x0F, 0x66, 0xC4, 0xC5, 0x62, 0x48, 0xF2, 0xF7], np.uint8), 333_334)
    first = np.arange(0, len(text), 10)
    last = first + random.integers(0, 7, len(first))
    starts, given_up = _starts(text, first, last)
    assert given_up > 0
    at = np.flatnonzero(starts)
    assert (at < last[at // 10]).all()
    assert _starts(text, np.array([-5, 990_000]), np.array([20, 2_000_000]))[1] <= 2


@pytest.mark.parametrize("seed", range(4))
def test_damaged_code_gives_facts_that_lie_inside(seed: int) -> None:
    """The interpreter of code ends on damaged code, in loops too, and its facts are about what is there."""
    random = np.random.default_rng(seed)
    text, address, functions = _text(go_program("codezoo", VERSIONS[-1]))
    text = text.copy()
    where = random.random(len(text)) < 0.01 * (seed + 1)
    text[where] = random.integers(0, 256, int(where.sum()), np.uint8)
    entry = functions.entries - address
    data = np.array([address, address + (1 << 22)], np.int64)
    roles = random.integers(0, codevalues.ASSEMBLY + 1, len(entry) - 1).astype(np.uint8)
    arguments = random.integers(-(1 << 31), 1 << 31, len(entry) - 1)
    code = codevalues.Code(text, address, entry, roles, arguments, data, np.empty(0, np.int64))
    work = codevalues.work_for(entry)
    table = np.empty((gocode.room_for(entry), codevalues.FACT_WIDTH), np.int64)
    row, rows = 0, 0
    while row < len(roles):
        after = gocode.scan(code, work, row, table)
        assert after > row, "a table of room_for rows holds any function"
        facts = table[: work.v[codevalues.USED]]
        assert ((facts[:, 1] >= row) & (facts[:, 1] < after)).all()
        references = facts[facts[:, 0] == codevalues.REFERENCE]
        assert ((references[:, 2] >= data[0]) & (references[:, 2] < data[1])).all()
        row, rows = after, rows + len(facts)
    assert rows > 1000
    assert _starts(text, entry[:-1], entry[1:])[1] > 100, "and code that is not understood is among it"
    assert not work.label.any(), "labels of one function do not stay for the next"
