"""Changes to a package when all its types are there: the root gets its name, recursion its pointers.

Imports ``model`` and ``unions`` of this package.
"""

from __future__ import annotations

from dataclasses import replace

from goretain.schema.model import (
    Boxed,
    Declaration,
    Defined,
    Map,
    Nullable,
    Package,
    Ref,
    Rest,
    Scalar,
    Slice,
    Struct,
    Type,
    Union,
    contained,
    nested,
)
from goretain.schema.unions import Unions


def declare_root(package: Package, unions: Unions, type: Type, doc: str) -> None:
    """Declare the root type, if what it is has another name or none."""
    name = package.root
    declared = package.types.get(name)
    if isinstance(declared, Union) and type == Nullable(Ref(name)):
        package.types[name] = replace(declared, nullable=True)
    if type in (Ref(name), Nullable(Ref(name))):
        return
    plain = type.of if isinstance(type, Nullable) else type
    if isinstance(plain, Slice | Map) or (
        isinstance(type, Scalar) and type.kind not in ("any", "number", "time")
    ):
        package.types[name] = Defined(name, type, doc)
    else:  # a pointer and a type of another package can have no methods
        unions.only(type, name, doc)


def with_null(package: Package, name: str) -> None:
    """Every value of a type may be null, also where the type was not known to when it was named."""
    for owner, declared in list(package.types.items()):
        package.types[owner] = _mapped(declared, Ref(name))


def _mapped(declared: Declaration, target: Ref) -> Declaration:
    match declared:
        case Struct():
            fields = tuple(replace(f, type=_nullable(f.type, target)) for f in declared.fields)
            rest = declared.rest
            kept = Rest(rest.name, _nullable(rest.element, target)) if rest is not None else None
            return replace(declared, fields=fields, rest=kept)
        case Union():
            variants = tuple(replace(v, type=_nullable(v.type, target)) for v in declared.variants)
            return replace(declared, variants=variants)
        case Defined():
            return replace(declared, type=_nullable(declared.type, target))


def _nullable(type: Type, target: Ref) -> Type:
    match type:
        case Ref() if type == target:
            return Nullable(type)
        case Slice(element):
            return Slice(_nullable(element, target))
        case Map(element):
            return Map(_nullable(element, target))
        case _:
            return type


def box_cycles(package: Package) -> None:
    """Point at what a struct would otherwise contain itself in, since Go has no such type."""
    for name, declared in list(package.types.items()):
        if isinstance(declared, Struct):
            boxed = tuple(
                replace(f, type=Boxed(f.type)) if f.required and _holds(f.type, name, package) else f
                for f in declared.fields
            )
            package.types[name] = replace(declared, fields=boxed)


def _holds(type: Type, name: str, package: Package) -> bool:
    """Whether a value of the type has a value of the struct ``name`` in it, without a pointer between."""
    stack, seen = [type], set[str]()
    while stack:
        match stack.pop():
            case Ref(target) if target == name:
                return True
            case Ref(target) if target not in seen:
                seen.add(target)
                declared = package.types[target]
                if isinstance(declared, Struct):
                    stack.extend(f.type for f in declared.fields if f.required)
            case _:
                pass
    return False


def prune(package: Package) -> None:
    """Drop types that the root does not lead to; the others stand behind what leads to them."""
    found: dict[str, Declaration] = {}
    pending: list[Type] = [Ref(package.root)]
    while pending:
        type = pending.pop()
        inner = list(nested(type))
        if isinstance(type, Ref) and type.name not in found:
            found[type.name] = package.types[type.name]
            inner = list(contained(found[type.name]))
        pending += reversed(inner)
    package.types = found
