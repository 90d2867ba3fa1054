"""What ``explain`` answers. Imports msgspec."""

from __future__ import annotations

from typing import Literal

import msgspec

#: What a row of evidence says: a value is allocated on the "heap" or stays on the "stack"; a parameter's
#: target "leaks" from the call; a closure "captures" a variable; a call is "inlined"; the machine code calls
#: something that "allocates", or "calls" something else, or "checks" an index, bounds or nil.
Kind = Literal["heap", "stack", "leaks", "captures", "inlined", "allocates", "calls", "checks"]


class EvidenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the compiler decided or generated for a line.

    Attributes:
        line: in the file, from 1.
        what: in the compiler's words: ``make([]byte, n)``, ``runtime.newobject``.
        why: steps to where a value must outlive its function.
        inside: functions whose machine code has the call: more than one where the line was inlined.
        counts: for each Go version of the report how often; 0: not with that version.
    """

    line: int
    kind: Kind
    what: str
    why: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    counts: tuple[int, ...]


class FunctionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A function that begins in the file; a value for each Go version, None where that made no code for it.

    Attributes:
        line: it begins on.
        code, frame: bytes of machine code and of its stack frame.
        inlining: in the compiler's words, ``can be inlined, cost 5``.
    """

    name: str
    line: int
    code: tuple[int | None, ...]
    frame: tuple[int | None, ...]
    inlining: tuple[str | None, ...]


class SizeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A variable or literal on the line.

    Attributes:
        text: name, or what it makes.
        sizes: bytes for each Go version; None: not known before its type parameters are.
        slots: what an allocation of such a value takes on the heap.
        pointers: whether the collector looks into it.
    """

    text: str
    type: str
    sizes: tuple[int | None, ...]
    slots: tuple[int | None, ...]
    pointers: bool | None


class StructField(msgspec.Struct, frozen=True, kw_only=True):
    """A field: bytes of offset, size, and of the padding behind it."""

    name: str
    type: str
    offset: int
    size: int
    padding: int


class StructRow(msgspec.Struct, frozen=True, kw_only=True):
    """The layout of a struct type.

    Attributes:
        line: of its declaration; None: in another file.
        size: bytes; best: with its fields in the order that pads least.
        go: versions for which it is this one.
    """

    name: str
    line: int | None
    size: int
    best: int
    pointers: bool
    fields: tuple[StructField, ...]
    go: tuple[str, ...]


class ExplainReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain explain``.

    Attributes:
        schema: names this shape.
        file: as it was asked for; line: None for the whole file; source: the line's text.
        package: import path. go: versions of the toolchains asked, the order of all counts.
        evidence: by line. functions: those that begin in the file, or the ones that the line is part of.
        sizes: empty for a whole file.
    """

    schema: Literal["goretain/explain/1"] = "goretain/explain/1"
    goretain: str
    file: str
    line: int | None
    source: str | None
    package: str
    go: tuple[str, ...]
    evidence: tuple[EvidenceRow, ...]
    functions: tuple[FunctionRow, ...]
    sizes: tuple[SizeRow, ...]
    structs: tuple[StructRow, ...]
