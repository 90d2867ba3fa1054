"""The debug information of the program that is read, where another file holds it: found once, used twice.

The plan of what to copy and the reading of the copy must see the same. Imports ``debuginfo`` when asked.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from goretain.debuginfo.companion import DebugFile
    from goretain.debuginfo.elf import Elf

#: A path, as the API takes it.
Pathlike = str | os.PathLike[str]


class DebugFiles:
    """Where to look for the debug information of one program.

    Args:
        given: a file that the user named: an unstripped twin of the program, or its debug file.
        directories: of debug files, before the system's.
    """

    def __init__(self, given: Pathlike | None = None, directories: Sequence[Pathlike] = ()) -> None:
        self.given = None if given is None else os.fspath(given)
        self.directories = tuple(os.fspath(directory) for directory in directories)
        self._roots: tuple[str, ...] = ("",)
        self._name = ""
        self._found: dict[int, DebugFile | None] = {}

    def of_process(self, pid: int) -> DebugFiles:
        """Look where the process sees files, too; returns itself."""
        from goretain.capture import procfs

        self._roots = (f"/proc/{pid}/root", "")
        self._name = procfs.program_path(pid)
        return self

    def of(self, binary: Elf) -> DebugFile | None:
        """The debug file of a program, None when there is none.

        Raises BinaryMismatch, CorruptFile, UsageError when the file that the user named does not fit.
        """
        key = id(binary)
        if key not in self._found:
            from goretain.debuginfo.companion import find_debug_file

            self._found[key] = find_debug_file(
                binary, self.given, self.directories, name=self._name, roots=self._roots
            )
        return self._found[key]
