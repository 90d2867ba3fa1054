"""What ``schema`` answers. Imports ``model`` and msgspec."""

from __future__ import annotations

from typing import Literal

import msgspec


class SchemaField(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a generated type.

    Attributes:
        name, type: in Go.
        key: in the document; None for the variant of a union and for what is kept of unknown keys.
        required: an object without the key is refused.
        validate: the rules of its validate tag.
        path: where its value is taken from, of a type that is filled by paths.
    """

    name: str
    type: str
    key: str | None = None
    required: bool = False
    validate: tuple[str, ...] = ()
    path: str | None = None


class SchemaType(msgspec.Struct, frozen=True, kw_only=True):
    """One generated type.

    Attributes:
        kind: "defined" is a named slice, map or scalar.
        type: what it is defined as, in Go; None for structs and unions.
    """

    name: str
    kind: Literal["struct", "union", "defined"]
    type: str | None = None
    fields: tuple[SchemaField, ...] = ()


class SchemaFile(msgspec.Struct, frozen=True, kw_only=True):
    """One Go file; path: where it was written, None where it was not."""

    name: str
    path: str | None
    text: str


class SchemaReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain schema``.

    Attributes:
        schema: names this shape.
        source: the input, the first of several.
        read_as: what the input was taken for.
        root, package: names of the document's type and of the Go package.
        types: all types, the files hold them.
        notes: what the input says and the types do not.
        single: all but the tests in one file.
    """

    schema: Literal["goretain/schema/1"] = "goretain/schema/1"
    goretain: str
    source: str
    read_as: Literal["schema", "samples"]
    root: str
    package: str
    types: tuple[SchemaType, ...]
    notes: tuple[str, ...]
    files: tuple[SchemaFile, ...]
    single: str
