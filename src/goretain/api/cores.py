"""The image of a core, with the debug information that the user named: for analyses and for ``snap`` alike.

Imports ``capture`` when asked, and ``model``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from goretain.api.debugfiles import DebugFiles, Pathlike
from goretain.model.errors import BinaryMismatch, UsageError

if TYPE_CHECKING:
    from goretain.capture.image import Image
    from goretain.capture.room.limits import Need
    from goretain.capture.source import PlanFor


def core_image(
    path: str,
    binary: Pathlike | None,
    debug_dirs: Sequence[Pathlike],
    plan_for: Callable[[DebugFiles], PlanFor],
    *,
    full: bool,
    force: bool,
    on_need: Callable[[Need], None] | None = None,
) -> tuple[Image, DebugFiles]:
    """A core names its program; what the user named is that program, or else its unstripped twin.

    on_need: told what the copy takes before it is made. Raises GoretainError.
    """
    from goretain.capture.cores.core import capture_core

    program = None if binary is None else os.fspath(binary)
    files = DebugFiles(None, debug_dirs)
    try:
        return capture_core(path, program, plan_for(files), full=full, force=force, on_need=on_need), files
    except BinaryMismatch as other:
        if program is None:
            raise
        files = DebugFiles(program, debug_dirs)
        try:
            image = capture_core(path, None, plan_for(files), full=full, force=force, on_need=on_need)
        except UsageError as lost:
            raise _program_lost(other, lost) from None
    files.of(image.binary)
    return image, files


def _program_lost(other: BinaryMismatch, lost: UsageError) -> BinaryMismatch:
    """What to say when the file is not the program, and the program, which could have a twin, is not there.

    An unstripped twin does not replace the program: a core leaves out read-only data, and the twin has its
    strings and masks at other places.
    """
    hint = "give the very file that ran with --binary, and keep its unstripped twin in a --debug-dir"
    return BinaryMismatch(f"{other.message}; and {lost.message}", hint=hint)
