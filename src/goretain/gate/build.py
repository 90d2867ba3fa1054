"""Packages with benchmarks, and their test binaries, built once with a helper that no file of theirs knows.

The helper is an external test (``package x_test``) that an overlay of the go command adds: it shares no names
with the package and its tests, and a TestMain is left alone. Imports ``model`` and ``toolchain``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from goretain.model.errors import ToolchainError, UsageError
from goretain.toolchain import Toolchain

#: The benchmark of the helper, which runs last.
END = "BenchmarkGoretainGateEnd"
_HELPER = Path(__file__).parent / "helper" / "end_test.go"
_FIELDS = "Dir,ImportPath,Name,TestGoFiles,XTestGoFiles,Error"
_PACKAGE = re.compile(r"^package \w+$", re.MULTILINE)
#: Seconds that a build may take: the first one compiles the standard library too.
_PATIENCE = 1200.0


class _Fault(msgspec.Struct, frozen=True):
    Err: str = ""


class _Listed(msgspec.Struct, frozen=True):
    """What ``go list -json`` prints of a package."""

    ImportPath: str
    Dir: str = ""
    Name: str = ""
    TestGoFiles: tuple[str, ...] = ()
    XTestGoFiles: tuple[str, ...] = ()
    Error: _Fault | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """A package that has tests.

    Attributes:
        path: its import path.
        directory: of its files; tests run there.
        name: of the package clause, without ``_test``.
        tests: names of the files of its tests, those of an external test package last.
    """

    path: str
    directory: Path
    name: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Built:
    """A test binary.

    Attributes:
        package: whose tests it has.
        binary: the executable.
        go: version that built it, ``go1.26.6``.
    """

    package: Package
    binary: Path
    go: str


def packages(
    toolchain: Toolchain, patterns: Sequence[str], directory: Path, tags: str = ""
) -> tuple[Package, ...]:
    """The packages with tests that patterns name, as the go command takes them (``./...``).

    Args:
        directory: where patterns are looked at.
        tags: build tags, as ``go test -tags`` takes them.

    Raises:
        UsageError: a pattern names no package, or none has tests.
        ToolchainError: go cannot list them.
    """
    done = toolchain.run(
        ["list", "-e", f"-json={_FIELDS}", *_tags(tags), "--", *patterns], cwd=directory, timeout=_PATIENCE
    )
    if done.returncode != 0:
        raise ToolchainError(
            f"go list: {done.stderr.strip().expandtabs(4)}", hint="run it in the directory of a Go module"
        )
    listed = [msgspec.convert(one, _Listed) for one in _objects(done.stdout)]
    for one in listed:
        if one.Error is not None and not one.Name:
            said = one.Error.Err.strip()
            tagged = "files behind a build tag need --tags" if said.startswith("build constraints") else ""
            raise UsageError(said, hint=tagged or "name packages as go test does: . or ./...")
    found = tuple(
        Package(
            one.ImportPath, Path(one.Dir), one.Name.removesuffix("_test"), one.TestGoFiles + one.XTestGoFiles
        )
        for one in listed
        if one.TestGoFiles or one.XTestGoFiles
    )
    if not found:
        raise UsageError(
            f"no package with tests matches {' '.join(patterns)}",
            hint="the gate runs benchmarks: func BenchmarkX(b *testing.B) in a _test.go file; files behind a"
            " build tag need --tags",
        )
    return found


def build(toolchain: Toolchain, package: Package, into: Path, *, tags: str = "") -> Built:
    """Build the tests of a package, with the helper.

    Args:
        into: an empty directory for the binary and what the overlay names.

    Raises:
        ToolchainError: it does not compile; the message is the compiler's.
    """
    if "-overlay" in toolchain.run(["env", "GOFLAGS"], cwd=package.directory).stdout:
        raise ToolchainError(
            "GOFLAGS names an overlay, and the gate needs one of its own to add its helper",
            hint="build without that overlay: GOFLAGS= goretain gate",
        )
    helper, overlay, binary = into / "helper.go", into / "overlay.json", into / "tests"
    helper.write_text(_end_of(package), "utf-8")
    added = package.directory / _last_name(package.tests)
    overlay.write_text(json.dumps({"Replace": {str(added): str(helper)}}), "utf-8")
    done = toolchain.run(
        ["test", "-c", "-vet=off", "-o", str(binary), "-overlay", str(overlay), *_tags(tags), package.path],
        cwd=package.directory,
        env={"PWD": str(package.directory)},  # else go takes another path than the overlay's, below a link
        timeout=_PATIENCE,
    )
    if done.returncode != 0 or not binary.is_file():
        said = (done.stderr or done.stdout).strip()
        raise ToolchainError(
            f"the tests of {package.path} do not build:\n{said}",
            hint="mend what the compiler names; go test -c must build it, with the same tags",
        )
    return Built(package, binary, _version(toolchain, binary))


def _tags(tags: str) -> list[str]:
    return ["-tags", tags] if tags else []


def _end_of(package: Package) -> str:
    """The helper, in the external test package of a package."""
    return _PACKAGE.sub(f"package {package.name}_test", _HELPER.read_text("utf-8"), count=1)


def _last_name(tests: Sequence[str]) -> str:
    """A name of a test file that is behind all others: benchmarks run in the order of their files."""
    name = "zz_goretain_gate_test.go"
    while any(name <= other for other in tests):
        name = f"z{name}"
    return name


def _version(toolchain: Toolchain, binary: Path) -> str:
    """``go1.26.6``: where go chose another toolchain than the one on PATH, that one."""
    done = toolchain.run(["version", str(binary)], cwd=binary.parent)
    return done.stdout.rpartition(": ")[2].strip() or f"go{toolchain.version}"


def _objects(text: str) -> list[object]:
    """JSON values that stand one after another."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while (at := len(text) - len(text[at:].lstrip())) < len(text):
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found
