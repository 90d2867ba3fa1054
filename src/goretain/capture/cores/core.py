"""Capturing from a core file: the same plan, read from the core and its binary instead of a process.

Imports ``debuginfo``, ``capture``, ``model`` and numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from goretain.capture.binaries.program import check_program, from_file, load_bias, part_ranges, writable
from goretain.capture.cores.corefile import CoreFile, CoreNotes, open_core, open_file, read_notes
from goretain.capture.cores.truncated import (
    NAME_PROGRAM,
    OTHER_BINARY,
    check_place,
    find_bias,
    shortfall,
    without,
)
from goretain.capture.image import TAKE_AGAIN, CaptureFacts, Image, path_at
from goretain.capture.procfs import AT_ENTRY
from goretain.capture.ranges import I64, USER_SPACE, aligned, as_ranges, normalise, packed, subtract, total
from goretain.capture.room.limits import Need, check_room
from goretain.capture.room.reservation import Reservation
from goretain.capture.source import Plan, PlanFor
from goretain.debuginfo.elf.elf import PT_NOTE, Elf
from goretain.model.errors import BinaryMismatch, CorruptFile, MissingMemory, RuntimeNotFound, UsageError

#: Told what a copy takes before it is made.
OnNeed = Callable[[Need], None]


def capture_core(
    path: str,
    binary_path: str | None,
    plan_for: PlanFor,
    *,
    full: bool = False,
    force: bool = False,
    on_need: OnNeed | None = None,
) -> Image:
    """The image of an ELF core.

    Args:
        path: the core. binary_path: the program; by default where the core says it was.
        full: everything that the core holds, instead of what the plan asks for.
        force: copy even if the memory limits say that there is no room.
        on_need: told what the copy takes before it is made.

    What is missing (cut off, or left out by coredump_filter) is named in ``facts.notes``. Raises
    CorruptFile, UnsupportedArchitecture, NotGoProgram, BinaryMismatch, UsageError, NotEnoughMemory, and
    what the plan raises.
    """
    core = open_core(path)
    notes = read_notes(core)
    if not notes.registers and not notes.cut_off:
        raise CorruptFile(path, None, "the core names no thread (NT_PRSTATUS)", hint="take it with gcore PID")
    binary = _open_binary(core, binary_path, notes)
    bias = _bias(core, binary, notes)
    source = CoreFile(core, notes, binary, bias)
    check_same_binary(source)
    source.use_libraries()
    plan = None if full else plan_for(binary, bias)
    wanted, remarks = _wanted(source, plan)
    return _image(path, source, wanted, [*_cut_off(source), *remarks], force=force, on_need=on_need)


def _open_binary(core: Elf, binary_path: str | None, notes: CoreNotes) -> Elf:
    path = core.path
    entry = notes.auxiliary.get(AT_ENTRY, 0)
    named = path_at(notes.files, entry)
    chosen = binary_path or named.removesuffix(" (deleted)") or None
    if chosen is None and notes.cut_off:
        what = "its notes, which say which program it was, are not among them"
        raise without(core, what, hint=f"{NAME_PROGRAM}; or {TAKE_AGAIN}")
    if chosen is None:
        raise UsageError(f"{path} does not say which program it was", hint=NAME_PROGRAM)
    if binary_path is None and not Path(chosen).is_file():
        raise UsageError(
            f"the program of {path} was {chosen}, which is not here",
            hint=NAME_PROGRAM,
        )
    binary = open_file(chosen)
    check_program(
        binary, f"the program of {path}", hint="give the Go program that the core is of: --binary FILE"
    )
    return binary


def _bias(core: Elf, binary: Elf, notes: CoreNotes) -> int:
    path, entry = core.path, notes.auxiliary.get(AT_ENTRY)
    if entry is None:
        bias = 0 if binary.type == "exec" else find_bias(core, binary)
        if bias is not None:
            check_place(core, binary, bias)
            return bias
        lost = f"where the position-independent program {binary.path} lay is not known"
        if notes.cut_off:
            what = f"its notes and the first page of the program are not among them: {lost}"
            raise without(core, what, hint=f"{OTHER_BINARY}; or {TAKE_AGAIN}")
        raise CorruptFile(path, None, f"no NT_AUXV: {lost}", hint="take the core with gcore PID")
    if entry >= USER_SPACE:
        raise CorruptFile(path, None, f"NT_AUXV has the program start at {entry:#x}")
    bias = load_bias(binary, entry)
    if bias % 4096 or (bias and binary.type == "exec"):
        raise BinaryMismatch(
            f"{binary.path} starts at {binary.entry:#x}, the program in the core at {entry:#x}",
            hint=OTHER_BINARY,
        )
    return bias


def check_same_binary(source: CoreFile) -> None:
    """Compare build IDs (or, where the core lacks them, .go.buildinfo) in the core with the binary's.

    Raises BinaryMismatch.
    """
    binary = source.binary
    places = [(s.vaddr, s.filesz) for s in binary.segments if s.type == PT_NOTE]
    info = binary.sections.get(".go.buildinfo")
    if info is not None:
        places.append((info.address, info.size))
    for address, size in places:
        found = source.dumped(address + source.bias, size)
        if found is not None and found != binary.read_vaddr(address, size):
            raise BinaryMismatch(
                f"{binary.path} is not the program of {source.core.path}: its build ID differs from the one"
                f" at {address + source.bias:#x} in the core",
                hint=OTHER_BINARY,
            )


def _wanted(source: CoreFile, plan: Plan | None) -> tuple[I64, list[str]]:
    """What to copy, and remarks on what of it is missing."""
    remarks: list[str] = []
    # gcore also writes reserved address space that was never readable, as read-only zeros.
    real = (m for m in source.mappings() if "w" in m.flags or m.path)
    everything = normalise(as_ranges((m.start, m.end) for m in real))
    asked = everything
    if plan is not None:
        try:
            asked = aligned(plan(source), 8)
        except MissingMemory as error:
            if error.what and shortfall(source.core):
                raise without(source.core, f"{error.what} is not among them") from None
            remarks.append(
                f"the span table cannot be followed ({error.message}): everything there is was read"
            )
        except RuntimeNotFound as error:
            if shortfall(source.core):
                what = f"the memory by which {error.struct} is found is not among them"
                raise without(source.core, what) from None
            raise
    needed = np.concatenate((asked, writable(source.binary, source.bias)))
    needed = np.concatenate((needed, part_ranges(from_file(source.binary, source.bias))))
    wanted = normalise(needed)
    held = source.held(wanted)
    # Ranges of an image begin at multiples of 8, mappings do; those of a core need not.
    held = normalise(np.column_stack(((held[:, 0] + 7) & -8, held[:, 1])))
    absent = subtract(wanted, held)
    if plan is not None and len(absent):
        remarks.append(f"{total(absent)} bytes of what is needed are not in the core, {_places(absent)}")
    return held, remarks


def _cut_off(source: CoreFile) -> list[str]:
    short = shortfall(source.core)
    if not short:
        return []
    memory = f", cut off is the memory at {_places(source.cut_off)}" if len(source.cut_off) else ""
    found = [f"{short}{memory}; {TAKE_AGAIN}"]
    if source.notes.cut_off:
        known = f"of only {len(source.registers)} threads" if source.registers else "of no thread"
        found.append(f"its notes are cut off: registers {known} are known, what only they hold is missed")
    return found


def _places(ranges: I64) -> str:
    named = [f"{start:#x}-{end:#x}" for start, end in ranges[:4].tolist()]
    more = f" and {len(ranges) - 4} more" if len(ranges) > 4 else ""
    return ", ".join(named) + more


def _image(
    path: str, source: CoreFile, ranges: I64, remarks: list[str], *, force: bool, on_need: OnNeed | None
) -> Image:
    need = Need(total(ranges))
    if not force:
        check_room(need)
    if on_need is not None:
        on_need(need)
    offsets, end = packed(ranges, 0)
    destination = Reservation(end)
    try:
        memory = destination.detach(end)
        source.read_into(ranges, offsets, memory)
    finally:
        destination.free()
    notes = source.notes
    facts = CaptureFacts(
        source="core",
        program=source.binary.path,
        pid=notes.pid,
        taken_at=Path(path).stat().st_mtime,
        copied_bytes=total(ranges),
        threads=len(notes.registers),
        shortfall=shortfall(source.core),
        notes=remarks,
    )
    return Image(
        memory,
        ranges,
        offsets,
        binary=source.binary,
        bias=source.bias,
        registers=notes.registers,
        mappings=source.mappings(),
        facts=facts,
        libraries=source.libraries,
    )
