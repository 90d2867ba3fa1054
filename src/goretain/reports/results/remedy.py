"""What ``remedy`` answers. Imports msgspec."""

from __future__ import annotations

from typing import Literal

import msgspec


class RemedySource(msgspec.Struct, frozen=True, kw_only=True):
    """One Go file of a remedy.

    Attributes:
        name: ``map_ref.go``.
        test: whether only ``go test`` compiles it.
        lines: how long it is.
        text: the source, of package ``remedies``.
    """

    name: str
    test: bool
    lines: int
    text: str


class RemedyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One remedy.

    Attributes:
        name, title, purpose: ``map-ref``; what it is and where it belongs, one line each.
        kind: "code" is part of a program; "test" is for a package that only tests import.
        patterns: codes of the patterns that it mends.
        claims: codes of the claims that say what other forms get wrong.
        go, needs: the oldest Go that compiles it, and why.
        requires: remedies that are copied with it.
        files: its Go files, tests last.
        text: its document, Markdown.
    """

    name: str
    title: str
    purpose: str
    kind: Literal["code", "test"]
    patterns: tuple[str, ...]
    claims: tuple[str, ...]
    go: str
    needs: str
    requires: tuple[str, ...]
    files: tuple[RemedySource, ...]
    text: str


class RemedyReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain remedy list`` and ``show``: remedies by name.

    Attributes:
        schema: names this shape.
    """

    schema: Literal["goretain/remedy/1"] = "goretain/remedy/1"
    goretain: str
    remedies: tuple[RemedyRow, ...]


class AddedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file that ``remedy add`` came to.

    Attributes:
        path: where it stands.
        remedy: whose it is; "" of what tests of several share.
        outcome: "written"; "replaced" by --force; "unchanged": it says the same already; "kept": what was
            asked for needs it, it stands there in another form, and was left so.
    """

    path: str
    remedy: str
    outcome: Literal["written", "replaced", "unchanged", "kept"]


class RemedyAddReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain remedy add``.

    Attributes:
        schema: names this shape.
        remedy: what was asked for.
        package: the Go package that the files are part of.
        module: the go.mod that they are under; null: there is none.
        files: each with what was done.
    """

    schema: Literal["goretain/remedy-add/1"] = "goretain/remedy-add/1"
    goretain: str
    remedy: str
    package: str
    module: str | None
    files: tuple[AddedFile, ...]
