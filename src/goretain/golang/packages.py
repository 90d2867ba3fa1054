"""Which package a symbol belongs to, and which root layer a package belongs to (DESIGN: holder and retained
size).

Names are the linker's: the last path element has its dots written %2e (cmd/internal/objabi/path.go), type
arguments stand in brackets, symbols of no package contain a colon (``type:``, ``go:``). Imports ``debuginfo``
and ``snapshot``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from urllib.parse import unquote

from goretain.debuginfo.elf.buildinfo import GoBuildInfo
from goretain.snapshot import Layer

#: First path elements of the standard library, Go 1.21 to 1.27 (src/ of the distribution).
_STANDARD_ROOTS = """
    archive arena bufio bytes cmp compress container context crypto database debug embed encoding errors
    expvar flag fmt go hash html image index internal io iter log maps math mime net os path plugin reflect
    regexp runtime simd slices sort strconv strings structs sync syscall testing text time unicode unique
    unsafe uuid vendor weak
"""
STANDARD_ROOTS = frozenset(_STANDARD_ROOTS.split())
_RUNTIME_PREFIXES = ("internal/runtime/", "runtime/internal/")
#: Globals of the standard library that belong to the runtime's machinery: sync.Pool's registry
#: (sync/pool.go).
_RUNTIME_GLOBALS = frozenset(("sync.allPools", "sync.oldPools"))


@cache
def package_of(symbol: str) -> str:
    """Import path of a symbol's package, "" for symbols of the linker or of C."""
    plain = symbol.split("[", 1)[0]
    slash = plain.rfind("/")
    dot = plain.find(".", slash + 1)
    package = plain[:dot] if dot > 0 else ""
    return "" if ":" in package else unquote(package)


def modules_of(build: GoBuildInfo | None) -> tuple[str, ...]:
    """Module paths of a build, the main module's first."""
    return (build.main, *build.deps) if build is not None else ()


def display_name(symbol: str) -> str:
    """A symbol as a Go programmer writes it: %2e is a dot again."""
    return unquote(symbol) if "%" in symbol else symbol


class Packages:
    """Root layers of one program's packages.

    Own are the main module's packages (and package main); its dependencies are the program's too, but not
    own.

    Args:
        modules: module paths, the main module's first ("" unknown), as ``snapshot.Meta.modules`` has them.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        self._main = modules[0] if modules else ""
        self._modules = tuple(m for m in modules if m)
        self._layers: dict[str, Layer] = {}

    def is_own(self, package: str) -> bool:
        """Whether the package belongs to the main module."""
        return package == "main" or (bool(self._main) and _inside(package, self._main))

    def layer(self, package: str) -> Layer:
        """PROGRAM, STDLIB or RUNTIME, by import path; a symbol of no package ("") is the program's."""
        if package not in self._layers:
            self._layers[package] = self._find(package)
        return self._layers[package]

    def layer_of_global(self, name: str, package: str) -> Layer:
        """As ``layer``, for one global variable."""
        return Layer.RUNTIME if name in _RUNTIME_GLOBALS else self.layer(package)

    def _find(self, package: str) -> Layer:
        if package == "runtime" or package.startswith(_RUNTIME_PREFIXES):
            return Layer.RUNTIME
        if package in ("", "main") or any(_inside(package, m) for m in self._modules):
            return Layer.PROGRAM
        return Layer.STDLIB if package.split("/", 1)[0] in STANDARD_ROOTS else Layer.PROGRAM


def _inside(package: str, module: str) -> bool:
    return package == module or package.startswith(module + "/")
