"""One type for values of several: numbers that widen, arrays and maps that merge, null as nil, and unions.

Imports ``model`` and ``naming`` of this package.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from goretain.schema.model import (
    ANY,
    NULL,
    Defined,
    JsonKind,
    Kind,
    Map,
    Nullable,
    Package,
    Ref,
    Scalar,
    Slice,
    Struct,
    Type,
    Union,
    Variant,
    kinds,
)
from goretain.schema.naming import METHODS, Names, singular

_NUMBERS: dict[Kind, int] = {"int32": 0, "int64": 1, "uint64": 2, "float64": 3, "number": 4}
_FIELDS: dict[Kind, str] = {
    "string": "String",
    "time": "Time",
    "bool": "Bool",
    "int32": "Int",
    "int64": "Int",
    "uint64": "Uint",
    "float64": "Float",
    "number": "Number",
    "any": "Any",
}


class Unions:
    """Makes unions in a package; ``names`` are the names of its types."""

    def __init__(self, package: Package, names: Names) -> None:
        self._package = package
        self._names = names

    def of(self, types: Iterable[Type], name: str, *, own: bool = False) -> Type:
        """The type of a value that has one of ``types``.

        Args:
            types: without repetition or with.
            name: for a union, if there must be one; ``own``: it has been taken for it.
        """
        plain, null = _without_null(types)
        if ANY in plain:
            return ANY
        merged = self._merged(plain, name)
        if not merged:
            return NULL
        if len(merged) == 1:
            return nullable(merged[0]) if null else merged[0]
        name = name if own else self._names.take(name)
        self._package.types[name] = Union(name, tuple(Variant("", type) for type in merged))
        return Nullable(Ref(name)) if null else Ref(name)

    def only(self, type: Type, name: str, doc: str) -> Type:
        """A declared struct around one type that can have no methods of its own (``*string``)."""
        inner, null = _without_null([type])
        self._package.types[name] = Union(name, tuple(Variant("", t) for t in inner or [ANY]), null, doc)
        return Ref(name)

    def settle(self) -> None:
        """Bring all unions into their last form, when the types that they name are known."""
        for name in list(self._package.types):
            declared = self._package.types[name]
            if isinstance(declared, Union):
                flat, null = self._flat(declared, set())
                variants = _named(self._apart(flat), self._package)
                self._package.types[name] = replace(
                    declared, variants=variants, nullable=null or declared.nullable
                )

    def _merged(self, types: list[Type], name: str) -> list[Type]:
        """Types without doubles; of numbers, strings, arrays and maps one each."""
        numbers = [t.kind for t in types if isinstance(t, Scalar) and t.kind in _NUMBERS]
        found: dict[Type, None] = {}
        for type in types:
            match type:
                case Scalar(kind) if kind in _NUMBERS:
                    found[Scalar(widest(numbers))] = None
                case Scalar("time") if Scalar("string") in types:
                    found[Scalar("string")] = None
                case Slice() | Map() if not any(isinstance(t, type.__class__) for t in found):
                    elements = [t.element for t in types if isinstance(t, type.__class__)]
                    found[type.__class__(self.of(elements, singular(name)))] = None
                case Slice() | Map():
                    pass
                case _:
                    found[type] = None
        return list(found)

    def _flat(self, union: Union, seen: set[str]) -> tuple[list[Type], bool]:
        """The variants of a union and of the unions among them."""
        seen.add(union.name)
        found: list[Type] = []
        null = union.nullable
        for variant in union.variants:
            inner, none = _without_null([variant.type])
            null = null or none
            for type in inner:
                target = self._package.types.get(type.name) if isinstance(type, Ref) else None
                if not isinstance(target, Union):
                    found.append(type)
                elif target.name not in seen:
                    more, none = self._flat(target, seen)
                    found += more
                    null = null or none
        return list(dict.fromkeys(found)) or [ANY], null

    def _apart(self, types: list[Type]) -> list[Type]:
        """Variants that the first byte of a value tells apart, but for structs, which their keys do."""
        if any(type == ANY for type in types):
            return [ANY]
        by_kind: dict[JsonKind, list[Type]] = {}
        for type in types:
            for kind in kinds(type, self._package):
                by_kind.setdefault(kind, []).append(type)
        chosen: dict[Type, None] = {}
        for kind, several in by_kind.items():
            if kind == "object":
                structs = [t for t in several if self._is_struct(t)]
                maps = [t for t in several if not self._is_struct(t)]
                chosen |= dict.fromkeys([*structs, *(maps if len(maps) < 2 else [Map(ANY)])])
            elif kind != "null":
                chosen[several[0] if len(several) == 1 else _common(kind)] = None
        return list(chosen)

    def _is_struct(self, type: Type) -> bool:
        return isinstance(type, Ref) and isinstance(self._package.types[type.name], Struct)


def nullable(type: Type) -> Type:
    """A type or null."""
    return type if isinstance(type, Nullable) or type == ANY else Nullable(type)


def widest(numbers: Iterable[Kind]) -> Kind:
    """The type for numbers of several types: no digit of an integer is lost but to a float64."""
    several = set(numbers)
    if "uint64" in several and several & {"int32", "int64"}:
        return "number"
    return max(several, key=_NUMBERS.__getitem__)


def _without_null(types: Iterable[Type]) -> tuple[list[Type], bool]:
    """Types without doubles and without null; whether null was among them."""
    plain: dict[Type, None] = {}
    null = False
    for type in types:
        null = null or isinstance(type, Nullable)
        if type != NULL:
            plain[type.of if isinstance(type, Nullable) else type] = None
    return list(plain), null


def _common(kind: JsonKind) -> Type:
    """The type for values of a kind, of which several types are named."""
    if kind == "array":
        return Slice(ANY)
    if kind == "number":
        return Scalar("number")
    return Scalar("bool" if kind == "boolean" else "string")


def _named(types: list[Type], package: Package) -> tuple[Variant, ...]:
    """Variants with names for their fields."""
    names = Names(METHODS)
    return tuple(Variant(names.take(_field(type, package)), type) for type in types)


def _field(type: Type, package: Package) -> str:
    match type:
        case Scalar(kind):
            return _FIELDS[kind]
        case Slice():
            return "List"
        case Map():
            return "Map"
        case Ref(name):
            target = package.types[name]
            if isinstance(target, Defined):
                return _field(target.type, package)
            return name
        case _:
            raise AssertionError(type)
