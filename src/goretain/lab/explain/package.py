"""Compiles the package of one file with every switch that makes the compiler say what it decided.

One ``go list -export`` does it: it compiles without linking, test packages too, and names the export data
that type sizes are computed from. Imports ``toolchain``, ``model`` and the standard library.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from goretain.model.errors import ToolchainError, UsageError
from goretain.toolchain import Completed, Toolchain

_FIELDS = "ImportPath,Dir,Export,ImportMap,GoFiles,CgoFiles,CompiledGoFiles,IgnoredGoFiles"


@dataclass(frozen=True, slots=True)
class Compiled:
    """What one toolchain said of the package that a file is part of.

    Attributes:
        toolchain: that compiled it; arch: GOARCH it compiled for.
        path: import path; files: absolute paths of all its Go files.
        exports: import path -> file of export data, of everything that it imports; imports: path in the
            source -> import path where they differ.
        printed: what ``-m=2 -S`` printed, line by line.
        checks: the lines of the ``-json`` log of the file, decoded.
    """

    toolchain: Toolchain
    arch: str
    path: str
    files: tuple[str, ...]
    exports: dict[str, str]
    imports: dict[str, str]
    printed: tuple[str, ...]
    checks: tuple[dict[str, Any], ...]


def source_file(name: str | os.PathLike[str]) -> Path:
    """The file, absolute. Raises UsageError when it is no Go file."""
    file = Path(name).resolve()  # as go names it, which starts in its folder
    if file.suffix != ".go":
        raise UsageError(f"{name} is not a Go file", hint="give the path of a file: explain server.go:42")
    if not file.is_file():
        raise UsageError(f"there is no file {name}", hint="check the path; a line goes behind a colon")
    return file


def compile_package(toolchain: Toolchain, file: Path) -> Compiled:
    """Compile the package of a file.

    Raises:
        ToolchainError: it does not compile; the message holds what the compiler said.
        UsageError: the file is not part of a package that is built here.
    """
    with tempfile.TemporaryDirectory(prefix="goretain-explain-") as logs:
        done = _list(toolchain, file, logs)
        packages = _decoded(done.stdout)
        mine = next((p for p in packages if _has(p, file)), None)
        if mine is None:
            raise UsageError(
                f"{file.name} is not built by Go {toolchain.version} here",
                hint="its build constraints (//go:build, its name) leave it out: set GOOS, GOARCH or --tags",
            )
        used, arch = _used(toolchain, file.parent)
        return Compiled(
            toolchain=used,
            arch=arch,
            path=mine["ImportPath"],
            files=tuple(_files(mine)),
            exports={p["ImportPath"]: p["Export"] for p in packages if p.get("Export")},
            imports=mine.get("ImportMap", {}),
            printed=tuple(_section(done.stderr, mine["ImportPath"])),
            checks=tuple(_checks(Path(logs), file)),
        )


def _list(toolchain: Toolchain, file: Path, logs: str) -> Completed:
    """Run the compiler; what it prints is in stderr."""
    in_module = any((folder / "go.mod").is_file() for folder in file.parents)
    arguments = ["list", "-export", "-deps", f"-json={_FIELDS}"]
    if file.name.endswith("_test.go"):
        arguments.append("-test")
    arguments += [f"-gcflags=-m=2 -S -json=0,{logs}", "." if in_module else file.name]
    done = toolchain.run(arguments, cwd=file.parent)
    if done.returncode != 0:
        said = "\n".join(line for line in done.stderr.strip().splitlines() if not line.startswith("# "))
        raise ToolchainError(
            f"Go {toolchain.version} cannot compile the package of {file.name}:\n{said}",
            hint="mend what the compiler names, or use another Go version",
        )
    return done


def _used(toolchain: Toolchain, folder: Path) -> tuple[Toolchain, str]:
    """The toolchain that go.mod has switched to, if it has, with nothing of the user's settings; GOARCH."""
    done = toolchain.run(["env", "-json", "GOROOT", "GOVERSION", "GOARCH"], cwd=folder)
    env = json.loads(done.stdout)
    return Toolchain(Path(env["GOROOT"]), env["GOVERSION"].removeprefix("go").split()[0]), env["GOARCH"]


def _decoded(text: str) -> list[dict[str, Any]]:
    """The JSON objects that go list writes one behind the other."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while (at := _next(text, at)) < len(text):
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


def _next(text: str, at: int) -> int:
    """Where the next object begins."""
    begin = text.find("{", at)
    return len(text) if begin < 0 else begin


def _files(package: dict[str, Any]) -> list[str]:
    """The package's Go files, cgo's as the user wrote them."""
    names = package.get("GoFiles", []) + package.get("CgoFiles", [])
    return [str(Path(package["Dir"], name)) for name in names]


def _has(package: dict[str, Any], file: Path) -> bool:
    """Whether the file is one of the package's."""
    names = package.get("GoFiles", []) + package.get("CgoFiles", [])
    return file.name in names and Path(package["Dir"]).samefile(file.parent)


def _section(printed: str, path: str) -> list[str]:
    """Lines that the compiler printed for one package: behind ``# path``, up to the next such line."""
    lines, inside = [], False
    for line in printed.splitlines():
        if line.startswith("# "):
            inside = line == f"# {path}"
        elif inside:
            lines.append(line)
    return lines


def _checks(logs: Path, file: Path) -> list[dict[str, Any]]:
    """Diagnostics of the file's -json log (cmd/compile/internal/logopt); its first line is a heading."""
    found = []
    for log in sorted(logs.glob(f"*/{file.stem}.json")):
        heading, *rest = (json.loads(line) for line in log.read_text("utf-8").splitlines())
        if PurePath(heading.get("file", "")).name == file.name:
            found += rest
    return found
