"""Targets: processes, cores, images, heap dumps, saved snapshots; which it is, how it becomes a snapshot.

The one place that knows both how bytes are captured and how they are read. Imports ``capture``, ``golang``,
``debuginfo``, ``snapshot`` and ``model``, the heavy ones when they are needed.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from goretain.api.cores import core_image
from goretain.api.debugfiles import DebugFiles, Pathlike
from goretain.api.dumps import open_heap_dump
from goretain.api.planner import planner
from goretain.api.room import AnalysisRoom
from goretain.api.snapshot import Snapshot
from goretain.capture.imagefile.blocks import is_image
from goretain.golang.heapdump.magic import is_heap_dump
from goretain.model.errors import CorruptFile, UsageError
from goretain.model.pids import is_pid
from goretain.snapshot import Snapshot as Data
from goretain.snapshot import is_snapshot

if TYPE_CHECKING:
    from goretain.capture.image import Image
    from goretain.capture.room.limits import Need
    from goretain.debuginfo.beside.companion import DebugFile

#: Called with (what is being done, how much of it is done, how much there is; 0 when unknown).
Progress = Callable[[str, int, int], None]

_ELF_MAGIC = b"\x7fELF"
_ET_CORE = 4
_NEEDS_FILE = "write it to a file first: it is read in parts, as they are needed"
#: First bytes of a compressed file: the method and the command that unpacks it.
_COMPRESSED = {
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd"),
    b"\x04\x22\x4d\x18": ("lz4", "lz4"),
    b"\xfd7zXZ\x00": ("xz", "xz"),
    b"\x1f\x8b": ("gzip", "gzip"),
}


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
    """Take a snapshot of a running process, a core, an image or a heap dump, or open a saved one.

    Args:
        target: a PID (int or digits), or the path of an ELF core, an image, a heap dump of
            runtime/debug.WriteHeapDump or a saved snapshot; which of them is told by the file's content.
        binary: an unstripped twin of the program, built from the same source, or its debug file; of a core
            also the program that wrote it, where the core does not name it; of a heap dump always that.
        debug_dirs: directories of debug files (.build-id/xx/yyyy.debug, NAME.debug, or unstripped builds).
        full: copy all memory of the process, not only what the analysis needs.
        with_data: keep map keys.
        force: copy and analyse even if the memory limits say that there is no room.
        max_pause: milliseconds of pause after which a process is released and the capture given up.
        on_plan: told the planned bytes before a process is stopped.
        on_phase: told of each phase of its capture as it begins: "estimating", "seizing", "planning",
            "copying", "releasing", "released"; before an attempt is made again "resting".
        progress: called while something takes long.

    A process that is being captured is never left stopped: if this one hangs meanwhile, or is stopped
    itself, the kernel ends it after 10 s (docs/safety.md).

    Raises:
        GoretainError: the target cannot be read; the error says why and what to do.
    """
    check_file(target)
    name = os.fspath(target) if not isinstance(target, int) else str(target)
    if is_pid(name):
        files = DebugFiles(binary, debug_dirs).of_process(int(name))
        how = {"full": full, "force": force, "max_pause": max_pause, "on_phase": on_phase}
        return Snapshot(_from_process(int(name), files, how, with_data, on_plan, progress), name)
    if max_pause is not None:
        raise UsageError("--max-pause belongs to a running process", hint="leave it out")
    flags = {"full": full, "with_data": with_data, "force": force}
    return Snapshot(_from_file(name, binary, debug_dirs, flags, progress), name)


def check_file(target: int | Pathlike) -> None:
    """Complain about a file that is none which ``open`` takes, before other targets are stopped for it.

    Raises:
        GoretainError: as ``open``.
    """
    name = os.fspath(target) if not isinstance(target, int) else str(target)
    if name == "-":
        raise UsageError("a target is not read from a pipe", hint=_NEEDS_FILE)
    if not is_pid(name) and not (is_snapshot(name) or is_image(name) or is_heap_dump(name)):
        _require_core(name)


def _from_file(
    name: str,
    binary: Pathlike | None,
    debug_dirs: Sequence[Pathlike],
    flags: dict[str, bool],
    progress: Progress | None,
) -> Data:
    """flags: full, with_data and force."""
    full, with_data, force = flags["full"], flags["with_data"], flags["force"]
    if is_snapshot(name):
        if binary is not None or debug_dirs or full or with_data:
            raise UsageError(
                f"{name} is a saved snapshot; it holds what it holds",
                hint="leave out --binary, --debug-dir, --full and --with-data",
            )
        from goretain.snapshot import load

        AnalysisRoom(None, force=force).check_saved(name)
        on_read = _telling(progress, "opening the snapshot")
        return load(name, on_read=on_read)
    if is_image(name):
        if full:
            raise UsageError(f"{name} is an image; it holds what it holds", hint="leave out --full")
        given = DebugFiles(binary, debug_dirs) if binary is not None or debug_dirs else None
        return _from_image(name, given, with_data, force, progress)
    if is_heap_dump(name):
        if full:
            raise UsageError(f"{name} is a heap dump; it holds what it holds", hint="leave out --full")
        tell = None if progress is None else lambda what: progress(what, 0, 0)
        return open_heap_dump(name, binary, debug_dirs, with_data=with_data, force=force, tell=tell)
    return _from_core(name, binary, debug_dirs, full, with_data, force, progress)


def _telling(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, whole: progress(what, done, whole)


def _require_core(path: str) -> None:
    """Raises UsageError or CorruptFile unless the file is an ELF core."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except PermissionError:
        hint = "run goretain as its owner or as root: sudo; or have its owner give you a copy"
        raise UsageError(f"user {os.geteuid()} may not read {path}", hint=hint) from None
    except OSError as failed:
        hint = "give a PID, an ELF core, an image or a snapshot"
        raise UsageError(f"cannot open {path}: {failed.strerror}", hint=hint) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UsageError(f"{path} is not a regular file", hint=_NEEDS_FILE)
        head = os.pread(descriptor, 18, 0)
    except OSError as failed:
        raise UsageError(
            f"cannot read {path}: {failed.strerror}", hint="give a PID, an ELF core, an image or a snapshot"
        ) from None
    finally:
        os.close(descriptor)
    _refuse_compressed(path, head)
    if head[:4] != _ELF_MAGIC:
        hint = (
            "give a PID, an ELF core (gcore PID, or GOTRACEBACK=crash), an image (goretain snap)"
            " or a snapshot (--save)"
        )
        raise CorruptFile(path, 0, "neither a core nor a goretain image or snapshot", hint=hint)
    if int.from_bytes(head[16:18], "little") != _ET_CORE:
        raise UsageError(f"{path} is a program, not a core", hint="start it and give its PID")


def _refuse_compressed(path: str, head: bytes) -> None:
    """Raises UsageError for a core as systemd-coredump keeps it: cores are not read from end to end."""
    for magic, (method, command) in _COMPRESSED.items():
        if head.startswith(magic):
            unpack = f"(umask 077; {command} -dc {shlex.quote(path)} > core)"
            raise UsageError(
                f"{path} is compressed with {method}",
                hint=f"unpack it where only you can read it: {unpack}; where systemd has it:"
                " coredumpctl dump PID -o core",
            )


def _from_process(
    pid: int,
    files: DebugFiles,
    how: dict[str, Any],
    with_data: bool,
    on_plan: Callable[[int], None] | None,
    progress: Progress | None,
) -> Data:
    """how: arguments of capture_process."""
    from goretain.capture.frozen.process import capture_process
    from goretain.capture.room.limits import first_to_go

    room = AnalysisRoom(pid, force=how["force"])

    def tell(need: Need) -> None:
        if on_plan is not None:
            on_plan(need.planned)
        room.check_planned(need)

    plan_for = planner(files, with_data, on_program=room.describe, on_extent=room.note)
    with first_to_go():
        image = capture_process(pid, plan_for, on_plan=tell, progress=progress, **how)
        image.facts.notes += files.notes(image.binary)
        return _read(image, files.of(image.binary), with_data, progress, files, room)


def _from_image(
    path: str, files: DebugFiles | None, with_data: bool, force: bool, progress: Progress | None
) -> Data:
    from goretain.capture.imagefile.reader import read_image

    room = AnalysisRoom(None, force=force)
    on_read = _telling(progress, "opening the image")
    image = read_image(path, force=force, on_need=room.check_planned, on_read=on_read)
    if with_data and not image.facts.with_data:
        image.facts.notes.append("the image was taken without --with-data: longer map keys are not in it")
    # What lies around here is not looked at: an image gives the same report everywhere.
    given = files.of_image(image) if files is not None else None
    return _read(image, given or image.debug, with_data, progress, files, room)


def _from_core(
    path: str,
    binary: Pathlike | None,
    debug_dirs: Sequence[Pathlike],
    full: bool,
    with_data: bool,
    force: bool,
    progress: Progress | None,
) -> Data:
    room = AnalysisRoom(None, force=force)
    image, files = core_image(
        path,
        binary,
        debug_dirs,
        lambda files: planner(files, with_data, on_program=room.describe, on_extent=room.note),
        full=full,
        force=force,
        on_need=room.check_planned,
    )
    return _read(image, files.of(image.binary), with_data, progress, files, room)


def _read(
    image: Image,
    debug: DebugFile | None,
    with_data: bool,
    progress: Progress | None,
    files: DebugFiles | None,
    room: AnalysisRoom,
) -> Data:
    from goretain.capture.room.limits import Need
    from goretain.golang.read import read_heap

    room.describe(image.binary)
    room.check_planned(Need(0))
    tell = room.watch(None if progress is None else lambda what: progress(what, 0, 0))
    debug_of = None if files is None else files.of_library
    return read_heap(
        image, with_data=with_data, debug=debug, debug_of=debug_of, on_extent=room.check, progress=tell
    )
