"""Targets: a process, a core, an image, a saved snapshot; which one it is, and how it becomes a snapshot.

The one place that knows both how bytes are captured and how they are read. Imports ``capture``, ``golang``,
``debuginfo``, ``snapshot`` and ``model``, the heavy ones when they are needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from goretain.api.debugfiles import DebugFiles, Pathlike
from goretain.api.snapshot import Snapshot
from goretain.capture.imagefile.blocks import is_image
from goretain.model.errors import BinaryMismatch, CorruptFile, UsageError
from goretain.snapshot import Snapshot as Data
from goretain.snapshot import is_snapshot

if TYPE_CHECKING:
    from goretain.capture.image import Image
    from goretain.capture.source import Plan, PlanFor
    from goretain.debuginfo.elf import Elf

#: Called with (what is being done, how much of it is done, how much there is; 0 when unknown).
Progress = Callable[[str, int, int], None]

_ELF_MAGIC = b"\x7fELF"
_ET_CORE = 4


def open(
    target: int | Pathlike,
    *,
    binary: Pathlike | None = None,
    debug_dirs: Sequence[Pathlike] = (),
    full: bool = False,
    with_data: bool = False,
    force: bool = False,
    max_pause: float | None = None,
    on_plan: Callable[[int], None] | None = None,
    on_phase: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> Snapshot:
    """Take a snapshot of a running process, a core or an image, or open a saved one.

    Args:
        target: a PID (int or digits), or the path of an ELF core, an image or a saved snapshot; which of
            the three is told by the file's content.
        binary: an unstripped twin of the program, built from the same source, or its debug file; of a core
            also the program that wrote it, where the core does not name it.
        debug_dirs: directories of debug files (.build-id/xx/yyyy.debug, NAME.debug, or unstripped builds).
        full: copy all memory of the process, not only what the analysis needs.
        with_data: keep map keys and strings.
        force: copy even if the memory limits say that there is no room.
        max_pause: milliseconds of pause after which a process is released and the capture given up.
        on_plan: told the planned bytes before a process is stopped.
        on_phase: told of each phase of its capture as it begins: "estimating", "seizing", "planning",
            "copying", "releasing", "released".
        progress: called while something takes long.

    A process that is being captured is never left stopped: if this one hangs meanwhile, or is stopped
    itself, the kernel ends it after 10 s (docs/production.md).

    Raises:
        GoretainError: the target cannot be read; the error says why and what to do.
    """
    name = os.fspath(target) if not isinstance(target, int) else str(target)
    if name.isascii() and name.isdigit():
        files = DebugFiles(binary, debug_dirs).of_process(int(name))
        how = {"full": full, "force": force, "max_pause": max_pause, "on_phase": on_phase}
        return Snapshot(_from_process(int(name), files, how, with_data, on_plan, progress), name)
    if max_pause is not None:
        raise UsageError("--max-pause belongs to a running process", hint="leave it out")
    if is_snapshot(name):
        if binary is not None or debug_dirs or full or with_data:
            raise UsageError(
                f"{name} is a saved snapshot; it holds what it holds",
                hint="leave out --binary, --debug-dir, --full and --with-data",
            )
        from goretain.snapshot import load

        on_read = _telling(progress, "opening the snapshot")
        return Snapshot(load(name, on_read=on_read), name)
    if is_image(name):
        if full:
            raise UsageError(f"{name} is an image; it holds what it holds", hint="leave out --full")
        files = DebugFiles(binary, debug_dirs)
        return Snapshot(_from_image(name, files, with_data, force, progress), name)
    _require_core(name)
    return Snapshot(_from_core(name, binary, debug_dirs, full, with_data, force, progress), name)


def _telling(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, whole: progress(what, done, whole)


def _require_core(path: str) -> None:
    """Raises UsageError or CorruptFile unless the file is an ELF core."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as failed:
        hint = "give a PID, a core or a snapshot that was saved with --save"
        raise UsageError(f"cannot open {path}: {failed.strerror}", hint=hint) from None
    try:
        head = os.pread(descriptor, 18, 0)
    except OSError as failed:
        raise UsageError(
            f"cannot read {path}: {failed.strerror}", hint="give a PID, a core or a snapshot"
        ) from None
    finally:
        os.close(descriptor)
    if head[:4] != _ELF_MAGIC:
        hint = "give a PID, an ELF core (gcore PID, or GOTRACEBACK=crash) or a snapshot saved with --save"
        raise CorruptFile(path, 0, "neither a core nor a goretain snapshot", hint=hint)
    if int.from_bytes(head[16:18], "little") != _ET_CORE:
        raise UsageError(f"{path} is a program, not a core", hint="start it and give its PID")


def _from_process(
    pid: int,
    files: DebugFiles,
    how: dict[str, Any],
    with_data: bool,
    on_plan: Callable[[int], None] | None,
    progress: Progress | None,
) -> Data:
    """how: arguments of capture_process."""
    from goretain.capture.limits import first_to_go
    from goretain.capture.process import capture_process

    tell = None if on_plan is None else lambda need: on_plan(need.planned)
    with first_to_go():
        image = capture_process(pid, _plan_for(files, with_data), on_plan=tell, progress=progress, **how)
        return _read(image, files, with_data, progress)


def _from_image(
    path: str, files: DebugFiles, with_data: bool, force: bool, progress: Progress | None
) -> Data:
    from goretain.capture.imagefile.reader import read_image

    image = read_image(path, force=force, on_read=_telling(progress, "opening the image"))
    if with_data and not image.facts.with_data:
        image.facts.notes.append(
            "the image was taken without --with-data: longer keys and strings are not in it"
        )
    return _read(image, files, with_data, progress)


def _from_core(
    path: str,
    binary: Pathlike | None,
    debug_dirs: Sequence[Pathlike],
    full: bool,
    with_data: bool,
    force: bool,
    progress: Progress | None,
) -> Data:
    """A core names its program; what the user named is that program, or else its unstripped twin."""
    from goretain.capture.core import capture_core

    program = None if binary is None else os.fspath(binary)
    files = DebugFiles(None, debug_dirs)
    try:
        image = capture_core(path, program, _plan_for(files, with_data), full=full, force=force)
    except BinaryMismatch as other:
        if program is None:
            raise
        files = DebugFiles(program, debug_dirs)
        try:
            image = capture_core(path, None, _plan_for(files, with_data), full=full, force=force)
        except UsageError as lost:
            raise _program_lost(other, lost) from None
        files.of(image.binary)
    return _read(image, files, with_data, progress)


def _program_lost(other: BinaryMismatch, lost: UsageError) -> BinaryMismatch:
    """What to say when the file is not the program, and the program, which could have a twin, is not there.

    An unstripped twin does not replace the program: a core leaves out read-only data, and the twin has its
    strings and masks at other places.
    """
    hint = "give the very file that ran with --binary, and keep its unstripped twin in a --debug-dir"
    return BinaryMismatch(f"{other.message}; and {lost.message}", hint=hint)


def _plan_for(files: DebugFiles, with_data: bool) -> PlanFor:
    """What to copy: capture asks golang, which asks the debug information of the binary."""
    from goretain.golang.layout import open_layout
    from goretain.golang.plan import lean_plan

    def plan_for(binary: Elf, bias: int) -> Plan:
        return lean_plan(open_layout(binary, files.of(binary)), bias, with_data=with_data)

    return plan_for


def _read(image: Image, files: DebugFiles, with_data: bool, progress: Progress | None) -> Data:
    from goretain.golang.read import read_heap

    tell = None if progress is None else lambda what: progress(what, 0, 0)
    return read_heap(image, with_data=with_data, debug=files.of(image.binary), progress=tell)
