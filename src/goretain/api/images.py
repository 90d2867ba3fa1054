"""Taking an image: capture and write it, nothing else. The light path beside a production process.

Imports ``capture``, ``golang`` by ``api.planner``, and ``model``; of other people's packages numpy alone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from goretain.api.cores import core_image
from goretain.api.debugfiles import DebugFiles, Pathlike
from goretain.api.planner import planner
from goretain.capture.imagefile.blocks import is_image
from goretain.golang.heapdump.magic import is_heap_dump
from goretain.model.errors import UsageError
from goretain.model.pids import is_pid
from goretain.model.saving import check_place, whole_file, write_all

if TYPE_CHECKING:
    from goretain.capture.image import CaptureFacts, Image
    from goretain.capture.source import PlanFor

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Snap:
    """An image that was taken.

    Attributes:
        path: where it is: a path, or the descriptor that it was written to.
        bytes: of the image file.
        private: whether only this user may read it: True for a path, and for a descriptor of a file of ours.
        facts: how the capture went.
    """

    path: str | int
    bytes: int
    private: bool
    facts: CaptureFacts

    @property
    def name(self) -> str:
        """The path, or what else it was written to."""
        if isinstance(self.path, str):
            return self.path
        return "standard output" if self.path == 1 else f"descriptor {self.path}"


def snap(
    target: int | str | os.PathLike[str],
    path: int | str | os.PathLike[str],
    *,
    binary: Pathlike | None = None,
    debug_dirs: Sequence[Pathlike] = (),
    full: bool = False,
    with_data: bool = False,
    debuginfo: bool = True,
    force: bool = False,
    max_pause: float | None = None,
    on_plan: Callable[[int], None] | None = None,
    on_phase: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> Snap:
    """Save the memory of a target, and what its analysis needs of the program's file, in one file.

    The file is sensitive: it holds contents of memory. It appears whole (rename) and for this user only
    (mode 0600). ``goretain.open`` takes it wherever it is brought.

    Args:
        target: a PID (int or digits) or the path of an ELF core.
        path: where the image goes; an int is a descriptor that is open for writing, such as a pipe's. If it
            is that of a regular file of ours, the file gets mode 0600.
        binary: the program that wrote the core, or an unstripped build or debug file of a stripped program.
        debug_dirs: where debug files may be, beside the places where gdb looks. The debug information that is
            found becomes part of the image.
        full: copy all memory of the process, not only what the analysis needs.
        with_data: copy contents of pointer-free objects up to 4 KiB too, so that map keys can be
            shown.
        debuginfo: keep DWARF and symbols of the program.
        force: copy even if the limits say that there is no room.
        max_pause: milliseconds of pause after which a process is released and the capture given up.
        on_plan: told the planned bytes before the target is stopped.
        on_phase: told of each phase of the capture as it begins, as in ``open``.
        progress: called while something takes long.

    Raises:
        GoretainError: the target cannot be read, or the file cannot be written there.
        OSError: the descriptor cannot be written to.
    """
    if not isinstance(path, int):
        check_place(path)
    name = str(target) if isinstance(target, int) else os.fspath(target)
    if is_pid(name):
        files = DebugFiles(binary, debug_dirs).of_process(int(name))
        how = {"full": full, "force": force, "max_pause": max_pause, "on_phase": on_phase}
        plan = planner(files, with_data, light=True)
        image = _of_process(int(name), plan, path, on_plan, progress=progress, **how)
    else:
        _check_core(name, max_pause)
        plan_with = partial(planner, with_data=with_data, light=True)
        image, files = core_image(name, binary, debug_dirs, plan_with, full=full, force=force)
    image.debug = files.of(image.binary)
    image.facts.with_data = with_data or full
    return _save(image, path, debuginfo, progress)


def _of_process(
    pid: int,
    plan_for: PlanFor,
    path: int | str | os.PathLike[str],
    on_plan: Callable[[int], None] | None,
    **how: Any,
) -> Image:
    """how: other arguments of capture_process."""
    from goretain.capture.frozen.process import capture_process

    tell = None if on_plan is None else lambda need: on_plan(need.planned)
    return capture_process(pid, plan_for, output=_place(path), on_plan=tell, **how)


def _save(
    image: Image, path: int | str | os.PathLike[str], debuginfo: bool, progress: Progress | None
) -> Snap:
    if isinstance(path, int):
        private = _made_private(path)
        return Snap(path, _write(image, path, debuginfo, progress), private, image.facts)
    with whole_file(path) as descriptor:
        size = _write(image, descriptor, debuginfo, progress)
    return Snap(os.fspath(path), size, True, image.facts)


def _made_private(descriptor: int) -> bool:
    """Take a regular file of ours from everybody else (> FILE: the shell made it for all to read)."""
    file = os.fstat(descriptor)
    if not stat.S_ISREG(file.st_mode) or file.st_uid != os.geteuid():
        return False
    try:
        os.fchmod(descriptor, 0o600)
    except OSError:  # a file system without modes
        return False
    return True


def _place(path: int | str | os.PathLike[str]) -> str | os.PathLike[str] | None:
    """The file that is written to, also when it is a descriptor (> FILE); None for a pipe or device."""
    if not isinstance(path, int):
        return path
    return f"/proc/self/fd/{path}" if stat.S_ISREG(os.fstat(path).st_mode) else None


def _write(image: Image, descriptor: int, debuginfo: bool, progress: Progress | None) -> int:
    from goretain.capture.imagefile.writer import write_image

    def sink(blob: bytes) -> None:
        write_all(descriptor, blob)

    return write_image(image, sink, debuginfo=debuginfo, progress=progress)


def _check_core(path: str, max_pause: float | None) -> None:
    if max_pause is not None:
        raise UsageError("--max-pause belongs to a running process", hint="leave it out")
    if is_image(path):
        raise UsageError(f"{path} is an image already", hint=f"goretain why {path}")
    from goretain.snapshot import is_snapshot  # takes msgspec, which the light way does without

    for kind, is_one in (("heap dump", is_heap_dump), ("saved snapshot", is_snapshot)):
        if is_one(path):
            raise UsageError(f"{path} is a {kind}, not a core", hint=f"goretain why {path}")
