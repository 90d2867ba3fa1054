"""Sizes of values and layouts of structs at a place, by the Go program in ``sizes``: only go/types knows
them without running anything.

The program is built once for each toolchain, in the user's cache. A value's slot is the size class that an
allocation of it takes, as the toolchain's own source tells. Imports ``toolchain``, ``model``, msgspec and
the standard library.
"""

from __future__ import annotations

import re
import subprocess
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

import msgspec

from goretain.lab.explain.package import Compiled
from goretain.model.errors import ToolchainError
from goretain.model.places import user_cache
from goretain.toolchain import Toolchain

_SOURCE = Path(__file__).parent / "sizes"
_CLASSES = re.compile(r"(?:class_to_size|SizeClassToSize)\s*=\s*\[\w+\]uint16\{([\d, ]+)\}")
_CLASS_FILES = ("internal/runtime/gc/sizeclasses.go", "runtime/sizeclasses.go")
_MOST_WITHOUT_HEADER, _HEADER, _PAGE = 512, 8, 8192


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A variable or a literal: ``size`` in bytes (None: depends on a type parameter), and whether it has
    pointers."""

    line: int
    text: str
    type: str
    size: int | None
    pointers: bool | None


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field: bytes of offset, size, and of the padding behind it."""

    name: str
    type: str
    offset: int
    size: int
    padding: int


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """A struct type.

    Attributes:
        line: of its declaration, 0 where that is in another file.
        size: bytes; best: with its fields in the order that pads least.
    """

    name: str
    line: int
    size: int
    best: int
    pointers: bool
    fields: tuple[Field, ...]


class Layouts(msgspec.Struct, frozen=True):
    """What stands at a place."""

    values: tuple[Value, ...]
    structs: tuple[Layout, ...]


def layouts(compiled: Compiled, file: Path, line: int | None) -> Layouts:
    """Values on a line and structs of the line or, with None, structs of the file. Raises ToolchainError."""
    asked = {
        "Package": compiled.path,
        "Files": compiled.files,
        "Exports": compiled.exports,
        "Imports": compiled.imports,
        "Arch": compiled.arch,
        "File": str(file),
        "Line": line or 0,
    }
    done = subprocess.run(
        [_program(compiled.toolchain)],
        input=msgspec.json.encode(asked),
        capture_output=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise ToolchainError(
            f"the sizes of {file.name} cannot be computed: {done.stderr.decode(errors='replace').strip()}",
            hint=f"report it, with the Go version: {compiled.toolchain.version}",
        )
    return msgspec.json.decode(done.stdout, type=Layouts)


@dataclass(frozen=True, slots=True)
class Slots:
    """How a toolchain's allocator rounds sizes up.

    Attributes:
        classes: sizes of small slots, ascending; empty where the toolchain's source is not installed.
        headers: whether objects with pointers above 512 bytes begin with a header word (runtime/malloc.go,
            mallocHeaderSize).
    """

    classes: tuple[int, ...]
    headers: bool

    def of(self, size: int | None, pointers: bool | None) -> int | None:
        """Bytes that a value takes on the heap (runtime/msize.go, roundupsize); None: unknown."""
        if size is None or not self.classes:
            return None
        if self.headers and pointers and size > _MOST_WITHOUT_HEADER:
            size += _HEADER
        if size > self.classes[-1]:
            return -(-size // _PAGE) * _PAGE
        return self.classes[bisect_left(self.classes, size)]


def slots(toolchain: Toolchain) -> Slots:
    """The allocator's classes, read in the toolchain's own source."""
    headers = "mallocHeaderSize" in _source(toolchain, "runtime/malloc.go")
    for name in _CLASS_FILES:
        if (found := _CLASSES.search(_source(toolchain, name))) is not None:
            return Slots(tuple(int(size) for size in found[1].split(",") if size.strip()), headers)
    return Slots((), headers)


def _source(toolchain: Toolchain, name: str) -> str:
    """A file of the toolchain's source; empty when it has none."""
    file = toolchain.goroot / "src" / name
    return file.read_text("utf-8") if file.is_file() else ""


def _program(toolchain: Toolchain) -> Path:
    """The program, built by this toolchain: export data is only read by its own release."""
    folder = user_cache() / "explain" / toolchain.version
    folder.mkdir(parents=True, exist_ok=True)
    return toolchain.build(_SOURCE, folder / "sizes")
