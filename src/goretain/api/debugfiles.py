"""The debug information of the program that is read, where another file holds it: found once, used twice.

The plan of what to copy and the reading of the copy must see the same. Imports ``debuginfo`` when asked.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from goretain.model.errors import UsageError

if TYPE_CHECKING:
    from goretain.capture.image import Image, Library
    from goretain.debuginfo.beside.companion import DebugFile
    from goretain.debuginfo.elf.elf import Elf

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
        self._found: dict[Elf, DebugFile | None] = {}
        self._rejected: list[str] = []

    def of_process(self, pid: int) -> DebugFiles:
        """Look where the process sees files, too; returns itself."""
        from goretain.capture import procfs

        self._roots = (f"/proc/{pid}/root", "")
        self._name = procfs.below_root(pid, procfs.program_name(pid))
        return self

    def of_image(self, image: Image) -> DebugFile | None:
        """The debug file of an image's program, which is known by the name that it had.

        Raises as ``of``, and UsageError when a file was named and the image needs none.
        """
        from goretain.debuginfo.dwarf.dwarf import Dwarf

        if self.given is not None and Dwarf.open(image.binary, None).present:
            raise UsageError(
                "the image holds debug information of its own", hint="leave out --binary, it is not needed"
            )
        self._name = image.facts.program
        return self.of(image.binary)

    def of(self, binary: Elf) -> DebugFile | None:
        """The debug file of a program, None when there is none.

        Raises BinaryMismatch, CorruptFile, UsageError when the file that the user named does not fit.
        """
        if binary not in self._found:
            from goretain.debuginfo.beside.companion import find_debug_file

            self._found[binary] = find_debug_file(
                binary,
                self.given,
                self.directories,
                name=self._name,
                roots=self._roots,
                rejected=self._rejected,
            )
        return self._found[binary]

    def of_library(self, library: Library) -> DebugFile | None:
        """The debug file of a plugin that the program loaded, None when there is none that fits."""
        from goretain.debuginfo.beside.companion import find_debug_file

        return find_debug_file(
            library.elf, directories=self.directories, name=library.path, roots=self._roots
        )

    def notes(self, binary: Elf) -> list[str]:
        """Why debug files that were found for a program are not used; nothing where another one is."""
        if self.of(binary) is not None:
            return []
        return [
            f"a debug file is there but was not used: {reason}" for reason in dict.fromkeys(self._rejected)
        ]
