"""Copies the Go files of a remedy into somebody's tree.

Everything is decided before the first byte is written: the package that the directory has, whether its module
is of a Go that compiles the files, and which files are there already. Imports ``model`` and this package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import goretain
from goretain.model.errors import UsageError
from goretain.model.saving import cannot_save
from goretain.remedies.catalogue import PACKAGE, GoFile, Remedy, find_remedy, support_file

_ORIGIN = "// Copied from goretain"
_KEYWORD = re.compile(
    r"break|case|chan|const|continue|default|defer|else|fallthrough|for|func|go|goto|if|import|interface|map"
    r"|package|range|return|select|struct|switch|type|var"
)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CLAUSE = re.compile(r"^[ \t]*package[ \t]+(\w+)", re.MULTILINE)
_IGNORED = re.compile(r"^//go:build ignore\b", re.MULTILINE)
_GO = re.compile(r"^[ \t]*go[ \t]+(\d+)\.(\d+)", re.MULTILINE)

#: What became of a file; kept: it stands there in another form, which somebody has made his own.
Outcome = Literal["written", "replaced", "unchanged", "kept"]


@dataclass(frozen=True, slots=True)
class Copied:
    """One file.

    Attributes:
        path: where it stands.
        remedy: whose it is; "" of what tests share.
        outcome: what was done.
    """

    path: Path
    remedy: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Added:
    """What ``add`` did.

    Attributes:
        package: the Go package that the files are now part of.
        files: each with what was done, in the order of writing.
        module: the go.mod that they are under, None where there is none.
    """

    package: str
    files: tuple[Copied, ...]
    module: Path | None


@dataclass(frozen=True, slots=True)
class _Planned:
    """A file to be written, unless it stands there."""

    path: Path
    text: str
    remedy: str
    wanted: bool  # asked for by name; else required by what was


def add(
    remedy: Remedy, folder: Path, *, package: str | None = None, tests: bool = False, force: bool = False
) -> Added:
    """Copy a remedy, and what it requires, into a directory, which is made if it is not there.

    Args:
        remedy: what to copy.
        folder: the directory of a Go package.
        package: its name; by default that of the Go files there, else made of the directory's name.
        tests: whether to copy tests, too.
        force: whether to replace files that stand there and differ.

    Raises:
        UsageError: the package does not fit, the module's Go is too old, or files stand there that differ.
    """
    name = _package(folder, package)
    module = _module(folder, remedy)
    planned = list(_plan(remedy, folder, name, tests))
    standing = {file.path: _standing(file) for file in planned if file.path.exists()}
    differing = [file.path for file in planned if file.wanted and standing.get(file.path, True) is False]
    if differing and not force:
        raise UsageError(
            f"{', '.join(map(str, differing))} {'is' if len(differing) == 1 else 'are'} there and differ"
            f"{'s' if len(differing) == 1 else ''} from what would be written",
            hint="look at the difference; --force replaces, --dir DIR copies elsewhere",
        )
    done = tuple(
        Copied(file.path, file.remedy, _write(file, standing.get(file.path), force)) for file in planned
    )
    return Added(name, done, module)


def rewritten(file: GoFile, package: str, remedy: str) -> str:
    """A file's text as part of another package, with a line that says where it is from."""
    what = f"remedy {remedy}" if remedy else "tests of remedies"
    origin = (
        f"{_ORIGIN} {goretain.__version__} ({what}); it is yours to change.\n"
        "// SPDX-License-Identifier: Apache-2.0\n\n"
    )
    return origin + re.sub(
        rf"^package {PACKAGE}$", f"package {package}", file.text, count=1, flags=re.MULTILINE
    )


def _plan(remedy: Remedy, folder: Path, package: str, tests: bool) -> Iterator[_Planned]:
    """Every file that belongs to it, those of what it requires first."""
    required = [find_remedy(name) for name in remedy.requires]
    for source in (*required, remedy):
        for file in source.files:
            if tests or not file.is_test:
                text = rewritten(file, package, source.name)
                yield _Planned(folder / file.name, text, source.name, source is remedy)
    if tests:
        shared = support_file()
        yield _Planned(folder / shared.name, rewritten(shared, package, ""), "", wanted=False)


def _standing(file: _Planned) -> bool:
    """Whether what stands there says the same, but for the line of its origin."""
    try:
        return _body(file.path.read_text("utf-8")) == _body(file.text)
    except UnicodeDecodeError:
        return False
    except OSError as failed:
        raise cannot_save(file.path, failed.strerror or "it cannot be read") from None


def _body(text: str) -> str:
    return text.partition("\n\n")[2] if text.startswith(_ORIGIN) else text


def _write(file: _Planned, same: bool | None, force: bool) -> Outcome:
    """Write one file; ``same``: what stands there says the same, None: nothing does."""
    if same:
        return "unchanged"
    if same is False and not (file.wanted and force):
        return "kept"
    try:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text(file.text, "utf-8", newline="\n")
    except OSError as failed:
        raise cannot_save(file.path, failed.strerror or "the system refuses") from None
    return "written" if same is None else "replaced"


def _package(folder: Path, wanted: str | None) -> str:
    """The package that files in this directory are of.

    Raises:
        UsageError: ``wanted`` is no name of a package, or not the one that is there; or nothing says one.
    """
    if wanted is not None and not _is_name(wanted):
        raise UsageError(f"{wanted!r} is not the name of a Go package", hint="a word such as cache")
    there = sorted(_packages(folder))
    if wanted is None and len(there) == 1:
        return there[0]
    if len(there) > 1 or (wanted is not None and there not in ([], [wanted])):
        raise UsageError(
            f"the Go files in {folder} are of package {', '.join(there)}"
            + (f", not {wanted}" if wanted is not None else ""),
            hint="one directory is one package: give another one with --dir",
        )
    name = wanted or re.sub(r"\W", "", folder.resolve().name).lower()
    if not _is_name(name):
        raise UsageError(f"{folder} does not say what its package is called", hint="give --package NAME")
    return name


def _is_name(text: str) -> bool:
    return text.isidentifier() and _KEYWORD.fullmatch(text) is None and text != "_"


def _packages(folder: Path) -> set[str]:
    """Names of the packages of the Go files in a directory, tests from outside of it left out."""
    names: set[str] = set()
    try:
        files = sorted(folder.glob("*.go"))
        texts = {path.name: path.read_text("utf-8", errors="replace") for path in files if path.is_file()}
    except OSError as failed:
        raise cannot_save(folder, failed.strerror or "it cannot be read") from None
    for name, text in texts.items():
        clause = _CLAUSE.search(_COMMENT.sub("", text))
        if clause is None or _IGNORED.search(text):
            continue
        names.add(clause[1].removesuffix("_test") if name.endswith("_test.go") else clause[1])
    return names


def _module(folder: Path, remedy: Remedy) -> Path | None:
    """The go.mod that a directory is under.

    Raises:
        UsageError: it says a Go that is too old.
    """
    place = folder.resolve()
    for parent in (place, *place.parents):
        module = parent / "go.mod"
        if module.is_file():
            stated = _GO.search(module.read_text("utf-8", errors="replace"))
            wanted = tuple(map(int, remedy.go.split(".")))
            if stated is None or (int(stated[1]), int(stated[2])) < wanted:
                says = f"go {stated[1]}.{stated[2]}" if stated else "no Go version"
                raise UsageError(
                    f"{module} says {says}, and {remedy.name} needs {remedy.go} ({remedy.needs})",
                    hint=f"go mod edit -go={remedy.go}",
                )
            return module
    return None
