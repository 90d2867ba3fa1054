"""Finds the pattern folders by listing them and reads what each says of itself.

There is no registry: a folder with a ``pattern.toml`` inside this package is a pattern. Everything a folder
declares is checked here, so that a half-written one is an error that names the file. Imports ``model``,
``heap`` for typing only, msgspec and the standard library.
"""

from __future__ import annotations

import importlib
import importlib.resources
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from goretain.model.errors import CorruptFile
from goretain.model.findings import Confidence, Finding, Severity
from goretain.patterns.document import Document, parse_document
from goretain.patterns.names import fingerprint_of

if TYPE_CHECKING:
    from goretain.heap.heap import Heap
    from goretain.patterns.routes import Route

_PACKAGE = "goretain.patterns"
_CODE = re.compile(r"GR\d{3}")
#: A pattern's name.
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")


class _Declaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``pattern.toml`` as written; see Pattern for the meaning of each key."""

    code: str
    name: str
    title: str
    sure: str
    fix: str
    severity: Severity
    stage: Literal["preview", "stable"]
    evidence: tuple[Literal["heap", "source", "profile"], ...]
    requires: tuple[str, ...] = ()


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the catalogue.

    Attributes:
        code: ``GR101``; stable, never reused.
        name: ``subslice-pins-array``: names the pattern, so that "ignore NAME" reads well.
        title: one line for people.
        sure: how sure its findings are, for lists of patterns.
        fix: the default one-line fix of its findings.
        severity: default severity of its findings.
        stage: "preview" may still change its thresholds; "stable" does not.
        evidence: kinds of evidence it can be recognised in.
        requires: runtime features (``Meta.features``) without which it cannot be judged.
        doc: its parsed doc.md.
        folder: Python name of its folder.
        package: the package that the folder was found in.
    """

    code: str
    name: str
    title: str
    sure: str
    fix: str
    severity: Severity
    stage: Literal["preview", "stable"]
    evidence: tuple[str, ...]
    requires: tuple[str, ...]
    doc: Document
    folder: str
    package: str = _PACKAGE

    def applies_to(self, features: tuple[str, ...]) -> bool:
        """Whether the runtime has everything that this pattern needs."""
        return set(self.requires) <= set(features)

    def find(self, heap: Heap) -> Iterator[Finding]:
        """Findings of this pattern in a heap, in no order. Imports its ``signature`` on first use."""
        signature = importlib.import_module(f"{self.package}.{self.folder}.signature")
        yield from signature.find(heap)

    def finding(
        self, *, confidence: Confidence, route: Route, count: int, saving_bytes: int, **more: Any
    ) -> Finding:
        """A Finding of this pattern: its code, texts, severity, holder and fingerprint are filled in.

        Args:
            more: any other field of Finding; overrides what the pattern would fill in.
        """
        values: dict[str, Any] = {
            "title": self.title,
            "severity": self.severity,
            "fix": self.fix,
            "holder": route.holder,
            "holders": route.holders,
            "also_from": route.also_from,
            "fingerprint": fingerprint_of(self.name, route.chain),
            **more,
        }
        return Finding(
            code=self.code,
            pattern=self.name,
            confidence=confidence,
            chain=route.chain,
            count=count,
            saving_bytes=saving_bytes,
            **values,
        )

    @property
    def in_heaps(self) -> bool:
        """Whether a heap shows it: then it has a signature and an experiment."""
        return "heap" in self.evidence

    @property
    def files(self) -> Traversable:
        """The folder itself: ``files / "experiment" / "main.go"``."""
        return importlib.resources.files(self.package) / self.folder


@cache
def catalogue(package: str = _PACKAGE) -> tuple[Pattern, ...]:
    """Every pattern of a package, ordered by code.

    Raises:
        CorruptFile: a folder lacks a file, declares something invalid, or repeats a code or name.
    """
    folders = (
        f for f in importlib.resources.files(package).iterdir() if f.joinpath("pattern.toml").is_file()
    )
    patterns = sorted((_read(folder, package) for folder in folders), key=lambda p: p.code)
    for attribute in ("code", "name"):
        seen: dict[str, Pattern] = {}
        for pattern in patterns:
            other = seen.setdefault(getattr(pattern, attribute), pattern)
            if other is not pattern:
                raise CorruptFile(
                    str(pattern.files / "pattern.toml"),
                    None,
                    f"{attribute} {getattr(pattern, attribute)!r} is already taken by {other.folder}",
                )
    return tuple(patterns)


def own(package: str) -> Pattern:
    """The pattern whose folder is that package: for a signature, ``own(__package__)``."""
    parent, _, folder = package.rpartition(".")
    return _read(importlib.resources.files(parent) / folder, parent)


def _read(folder: Traversable, package: str) -> Pattern:
    """Read and check one folder."""
    path = str(folder / "pattern.toml")
    try:
        declared = msgspec.toml.decode(folder.joinpath("pattern.toml").read_bytes(), type=_Declaration)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptFile(
            path, None, str(error), hint="compare it with another pattern's pattern.toml"
        ) from error
    if not _CODE.fullmatch(declared.code):
        raise CorruptFile(path, None, f"code {declared.code!r} is not GR and three digits")
    if not NAME.fullmatch(declared.name):
        raise CorruptFile(path, None, f"name {declared.name!r} is not lower-case words joined by hyphens")
    if declared.name.replace("-", "_") != folder.name:
        raise CorruptFile(path, None, f"name {declared.name!r} does not match its folder {folder.name!r}")
    _require_files(folder, declared)
    doc = parse_document(str(folder / "doc.md"), folder.joinpath("doc.md").read_text("utf-8"))
    return Pattern(doc=doc, folder=folder.name, package=package, **msgspec.structs.asdict(declared))


def _require_files(folder: Traversable, declared: _Declaration) -> None:
    """A pattern has a text and, when heaps show it, a signature and an experiment that proves it."""
    wanted = ["doc.md"]
    if "heap" in declared.evidence:
        wanted += ["signature.py", "experiment/main.go", "experiment/expected.toml"]
    for name in wanted:
        if not folder.joinpath(*name.split("/")).is_file():
            raise CorruptFile(str(folder), None, f"pattern {declared.name} has no {name}")
