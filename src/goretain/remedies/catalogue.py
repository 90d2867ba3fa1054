"""Finds the remedies by listing their folders and reads what each says of itself.

A folder with a ``remedy.toml`` inside this package is a remedy. What it declares is checked here, so that a
half-written one is an error that names the file. Imports ``model``, msgspec and the standard library.
"""

from __future__ import annotations

import difflib
import importlib.resources
import re
from functools import cache
from importlib.resources.abc import Traversable
from typing import Literal

import msgspec

from goretain.model.errors import CorruptFile, UsageError

#: The package that the Go files name; a copy names the package that it becomes part of.
PACKAGE = "remedies"
#: Headings that every doc.md has, in this order.
SECTIONS = ("What it does", "Use", "What the naive form gets wrong", "Limits")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
_GO = re.compile(r"1\.\d+")


class _Declaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``remedy.toml`` as written; see Remedy for the meaning of each key."""

    name: str
    title: str
    purpose: str
    kind: Literal["code", "test"]
    patterns: tuple[str, ...]
    claims: tuple[str, ...]
    go: str
    needs: str
    requires: tuple[str, ...] = ()


class GoFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of Go source.

    Attributes:
        name: ``map_ref.go``.
        text: as it stands here, of package ``remedies``.
    """

    name: str
    text: str

    @property
    def is_test(self) -> bool:
        """Whether only ``go test`` compiles it."""
        return self.name.endswith("_test.go")


class Remedy(_Declaration, frozen=True, kw_only=True):
    """One remedy.

    Attributes:
        name: ``map-ref``; its folder and main file are ``map_ref``.
        title: one line: what it is.
        purpose: one line: where it belongs.
        kind: "code" is part of a program; "test" is for a package that only tests import.
        patterns: codes of the patterns that it mends.
        claims: codes of the claims that say what other forms get wrong.
        go: the oldest Go that compiles it.
        needs: what of the language or library that is.
        requires: names of remedies that it stands on.
        files: its Go files by name, tests last.
        text: its doc.md.
    """

    files: tuple[GoFile, ...]
    text: str


@cache
def remedies() -> tuple[Remedy, ...]:
    """Every remedy, by name.

    Raises:
        CorruptFile: a folder lacks a file or declares something invalid.
    """
    folders = [f for f in _home().iterdir() if f.joinpath("remedy.toml").is_file()]
    found = tuple(sorted((_read(folder) for folder in folders), key=lambda remedy: remedy.name))
    names = {remedy.name for remedy in found}
    for remedy in found:
        if missing := set(remedy.requires) - names:
            raise CorruptFile(_toml(remedy.name), None, f"requires {', '.join(missing)}, which is not there")
    return found


def find_remedy(name: str) -> Remedy:
    """The remedy of that name.

    Raises:
        UsageError: there is none.
    """
    known = {remedy.name: remedy for remedy in remedies()}
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
        raise UsageError(f"no remedy is called {name!r}", hint=hint)
    return known[name]


def support_file() -> GoFile:
    """The Go file that the tests of all remedies share."""
    return _file(_home() / "support" / "remedies_test.go")


def _home() -> Traversable:
    return importlib.resources.files("goretain.remedies")


def _toml(name: str) -> str:
    return str(_home() / name.replace("-", "_") / "remedy.toml")


def _file(path: Traversable) -> GoFile:
    return GoFile(name=path.name, text=path.read_text("utf-8"))


def _read(folder: Traversable) -> Remedy:
    """Read and check one folder."""
    path = str(folder / "remedy.toml")
    try:
        declared = msgspec.toml.decode(folder.joinpath("remedy.toml").read_bytes(), type=_Declaration)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptFile(path, None, str(error), hint="compare it with another remedy.toml") from error
    if not _NAME.fullmatch(declared.name):
        raise CorruptFile(path, None, f"name {declared.name!r} is not lower-case words joined by hyphens")
    if declared.name.replace("-", "_") != folder.name:
        raise CorruptFile(path, None, f"name {declared.name!r} does not match its folder {folder.name!r}")
    if not _GO.fullmatch(declared.go):
        raise CorruptFile(path, None, f"go {declared.go!r} is not a release line such as 1.21")
    for name in (f"{folder.name}.go", f"{folder.name}_test.go", "doc.md"):
        if not folder.joinpath(name).is_file():
            raise CorruptFile(str(folder), None, f"remedy {declared.name} has no {name}")
    files = [_file(entry) for entry in folder.iterdir() if entry.name.endswith(".go")]
    files.sort(key=lambda file: (file.is_test, file.name))
    text = folder.joinpath("doc.md").read_text("utf-8")
    if tuple(re.findall(r"^## (.+)$", text, re.MULTILINE)) != SECTIONS:
        raise CorruptFile(str(folder / "doc.md"), None, f"its sections are not: {', '.join(SECTIONS)}")
    return Remedy(files=tuple(files), text=text, **msgspec.structs.asdict(declared))
