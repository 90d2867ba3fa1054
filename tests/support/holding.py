"""Holds a running program at one of its instructions: each thread that comes there goes round in place, the
others go on. So a capture finds it between any two stores of the runtime that the test asks for.

The instruction is overwritten with a jump to itself while the program is stopped, and put back at the end.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from goretain.capture.image import Image
from goretain.golang.layout import Layout
from goretain.kernels import x86
from tests.support.heaps import image_of
from tests.support.threads import states

_LOOP = b"\xeb\xfe"  # jmp to itself
_STORES = (0x87, 0x88, 0x89, 0xC6, 0xC7)  # XCHG and MOV to memory
_STACK_POINTER = 4
_FORMS = x86.opcode_forms()


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a function: link address, bytes, where it stores (displacement, None if nowhere)."""

    address: int
    size: int
    stores_at: int | None


def instructions(layout: Layout, function: str) -> list[Instruction]:
    """All instructions of a function."""
    symbol = layout.symbols[function]
    text = np.frombuffer(layout.elf.read_vaddr(symbol.value, symbol.size), np.uint8)
    found: list[Instruction] = []
    fields = np.zeros(x86.WIDTH, np.int64)
    at = 0
    while at < len(text) and (size := int(x86.decode(text, at, len(text), _FORMS, fields))):
        stores = fields[x86.MAP] == x86.ONE and fields[x86.OP] in _STORES
        stores &= fields[x86.MODE] == x86.MEMORY and fields[x86.BASE] != _STACK_POINTER
        found.append(Instruction(symbol.value + at, size, int(fields[x86.DISP]) if stores else None))
        at += size
    return found


def after_store(code: list[Instruction], displacement: int) -> int:
    """Address of the first instruction after the last store to a field that can be held at."""
    last = max(i for i, instruction in enumerate(code) if instruction.stores_at == displacement)
    return next(i.address for i in code[last + 1 :] if i.size >= len(_LOOP))


def image_held_at(pid: int, address: int, attempts: int = 100) -> Image | None:
    """An image of the program with a thread at a run-time address; None when none comes there.

    The program runs on afterwards.
    """
    with _stopped(pid):
        before = _replace(pid, address, _LOOP)
    try:
        for _ in range(attempts):
            time.sleep(0.02)
            with _stopped(pid):
                if address in _program_counters(pid):
                    return image_of(pid)
    finally:
        with _stopped(pid):
            _replace(pid, address, before)
    return None


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        while not states(pid) <= {"T", "t"}:
            time.sleep(0.001)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _program_counters(pid: int) -> set[int]:
    """Of the threads of a stopped program (proc_pid_syscall(5): the last number)."""
    calls = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/syscall")]
    return {int(call.split()[-1], 16) for call in calls if call.split()[-1].startswith("0x")}


def _replace(pid: int, address: int, code: bytes) -> bytes:
    memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
    try:
        before = os.pread(memory, len(code), address)
        assert os.pwrite(memory, code, address) == len(code)
    finally:
        os.close(memory)
    return before
