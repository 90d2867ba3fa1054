"""Go types as the generator knows them: between the readers of schemas and samples and the writers of Go.

A type is a small immutable tree; structs, unions and recursive types have a name and stand in ``Package``.
Imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

#: "number" keeps every digit (json.Number), "any" is a copy of the value's bytes (json.RawMessage).
Kind = Literal["string", "bool", "int32", "int64", "uint64", "float64", "number", "time", "any"]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A type that Go or its library has."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Slice:
    """``[]element``."""

    element: Type


@dataclass(frozen=True, slots=True)
class Map:
    """``map[string]element``: an object whose keys are data."""

    element: Type


@dataclass(frozen=True, slots=True)
class Ref:
    """A type of the package, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Nullable:
    """null as nil: a pointer, or the nil of a slice, a map or raw bytes."""

    of: Type


@dataclass(frozen=True, slots=True)
class Boxed:
    """A pointer that is never nil: what a struct would otherwise hold itself in."""

    of: Type


Type = Scalar | Slice | Map | Ref | Nullable | Boxed
ANY = Scalar("any")
#: What is null wherever it stands; in Go it is kept as it comes.
NULL = Nullable(ANY)


@dataclass(frozen=True, slots=True)
class Field:
    """One key of an object.

    Attributes:
        key: as it stands in the document.
        name: of the Go field.
        type: of the value; null is part of it where it is ``Nullable``.
        required: an object without the key is refused.
        rules: for the validate tag.
        constant: the one string, whole number or truth value that is allowed.
        doc: lines about it, from the schema.
    """

    key: str
    name: str
    type: Type
    required: bool
    rules: tuple[str, ...] = ()
    constant: str | int | None = None
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Rest:
    """Where a struct keeps the keys that no field stands for: ``map[string]element``."""

    name: str
    element: Type


@dataclass(frozen=True, slots=True)
class Struct:
    """An object whose keys are known; ``closed``: others are refused."""

    name: str
    fields: tuple[Field, ...]
    rest: Rest | None = None
    closed: bool = False
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the types of a union and the field for it."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Union:
    """A value of one of several types; ``nullable``: or null, with no field set."""

    name: str
    variants: tuple[Variant, ...]
    nullable: bool = False
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Defined:
    """``type Name T``: a document that is no object, or a type that recurs without a struct."""

    name: str
    type: Type
    doc: str = ""


Declaration = Struct | Union | Defined


@dataclass(slots=True)
class Package:
    """All types of one document.

    Attributes:
        root: name of the document's type.
        types: declared types by name, in the order of their declaration.
        notes: what the input says and Go types do not, one line each.
    """

    root: str = ""
    types: dict[str, Declaration] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def note(self, line: str) -> None:
        """Say something once."""
        if line not in self.notes:
            self.notes.append(line)


#: Kinds of JSON values; every type stands for some of them.
JsonKind = Literal["object", "array", "string", "number", "boolean", "null"]
_SCALAR_KINDS: dict[Kind, tuple[JsonKind, ...]] = {
    "string": ("string",),
    "time": ("string",),
    "bool": ("boolean",),
    "int32": ("number",),
    "int64": ("number",),
    "uint64": ("number",),
    "float64": ("number",),
    "number": ("number",),
    "any": ("object", "array", "string", "number", "boolean", "null"),
}


def kinds(type: Type, package: Package) -> tuple[JsonKind, ...]:
    """The kinds of JSON values that a type takes."""
    match type:
        case Scalar(kind):
            return _SCALAR_KINDS[kind]
        case Slice():
            return ("array",)
        case Map():
            return ("object",)
        case Nullable(of):
            return (*(k for k in kinds(of, package) if k != "null"), "null")
        case Boxed(of):
            return kinds(of, package)
        case Ref(name):
            return _declared_kinds(package.types[name], package)


def _declared_kinds(declared: Declaration, package: Package) -> tuple[JsonKind, ...]:
    if isinstance(declared, Struct):
        return ("object",)
    if isinstance(declared, Defined):
        return kinds(declared.type, package)
    found = dict.fromkeys(kind for v in declared.variants for kind in kinds(v.type, package))
    return (*found, "null") if declared.nullable else tuple(found)


def bare(type: Type) -> Type:
    """A type without the pointer around it."""
    return bare(type.of) if isinstance(type, Nullable | Boxed) else type


def has_nil(type: Type) -> bool:
    """Whether a Go value of the type has a nil of its own, so that it takes no pointer to be absent."""
    return isinstance(type, Slice | Map | Nullable) or type == ANY


def nested(type: Type) -> Iterator[Type]:
    """The types directly in a type."""
    match type:
        case Slice(inner) | Map(inner) | Nullable(inner) | Boxed(inner):
            yield inner
        case _:
            return


def contained(declared: Declaration) -> Iterator[Type]:
    """The types directly in a declaration."""
    match declared:
        case Struct():
            yield from (f.type for f in declared.fields)
            if declared.rest is not None:
                yield declared.rest.element
        case Union():
            yield from (v.type for v in declared.variants)
        case Defined():
            yield declared.type
