"""From a JSON Schema to Go types.

A value's schema is a list of parts that all hold (``parts``), merged (``merged``), then turned into a type.
What a reference leads to becomes one type, however often it is referred to. Imports this package.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from goretain.schema import rules
from goretain.schema.merged import Merged, alternatives, merge, says_more_than_type
from goretain.schema.model import (
    ANY,
    NULL,
    Defined,
    Field,
    Map,
    Nullable,
    Package,
    Ref,
    Rest,
    Scalar,
    Slice,
    Struct,
    Type,
    bare,
)
from goretain.schema.naming import METHODS, Names, exported, inner, singular
from goretain.schema.parts import Part, Source, alone, called, expand, only_reference
from goretain.schema.rewrite import declare_root, with_null
from goretain.schema.scalars import integer, is_constant, type_of
from goretain.schema.unions import Unions, nullable

#: Values of which types are made, at most.
_MOST = 20_000
#: How deep they may stand in each other: a value counts twice, a reference once. Python recurses for each.
_DEEPEST = 150


@dataclass(frozen=True, slots=True)
class _Hint:
    """What to call a type; ``own``: the name is taken for it already."""

    name: str
    own: bool = False


@dataclass(frozen=True, slots=True)
class _Typed:
    """A type and what else its schema says of the value."""

    type: Type
    rules: tuple[str, ...] = ()
    constant: str | int | None = None
    doc: str = ""


def from_schema(
    document: Any, name: str, root: str, *, keep_unknown: bool = False, taken: frozenset[str] = frozenset()
) -> Package:
    """The types that a JSON Schema describes.

    Args:
        document: the schema, parsed.
        name: of the file, for errors.
        root: name of the document's type.
        keep_unknown: structs keep keys that the schema does not name.
        taken: names that types may not have.

    Raises:
        UnusableSchema: no type can be made of it; says where and why.
    """
    return _Reader(Source(document, name), keep_unknown, taken).read(document, root)


class _Reader:
    """Turns schemas of one document into types of one package."""

    def __init__(self, source: Source, keep_unknown: bool, taken: frozenset[str]) -> None:
        self._source = source
        self._keep_unknown = keep_unknown
        self._names = Names(taken)
        self._package = Package()
        self._unions = Unions(self._package, self._names)
        self._done: dict[str, _Typed] = {}
        self._open: dict[str, tuple[str, int]] = {}
        self._recursive: set[str] = set()
        self._depth = self._steps = self._count = 0

    def read(self, document: Any, root: str) -> Package:
        """All types, the root's under its name."""
        part = self._source.part(document, "#")
        ways: list[str] = []
        while only_reference(part):
            if part.place in ways:
                self._source.fail(part.place, "this reference leads back to itself")
            ways.append(part.place)
            part = self._source.target(part)
        self._package.root = self._names.take(root)
        for place in ways:
            self._open[place] = (root, 0)
        typed = self._opened(part, root)
        declare_root(self._package, self._unions, typed.type, typed.doc)
        self._unions.settle()
        return self._package

    def _opened(self, part: Part, name: str) -> _Typed:
        """The type of a place that may be referred to from inside."""
        self._open[part.place] = (name, self._steps)
        typed = self._typed((part,), _Hint(name, own=True))
        if name in self._recursive:
            own = Ref(name)
            if typed.type == Nullable(own):
                with_null(self._package, name)
            elif typed.type != own:
                if isinstance(typed.type, Slice | Map) or (
                    isinstance(typed.type, Nullable) and isinstance(typed.type.of, Slice | Map)
                ):
                    self._package.types[name] = Defined(name, typed.type, typed.doc)
                else:
                    self._unions.only(typed.type, name, typed.doc)
                typed = replace(typed, type=own)
        del self._open[part.place]
        self._done[part.place] = typed
        return typed

    def _referred(self, part: Part) -> _Typed:
        """The type of what a reference leads to."""
        target = self._source.target(part)
        if target.place in self._done:
            return self._done[target.place]
        if target.place in self._open:
            name, steps = self._open[target.place]
            if steps == self._steps:
                self._source.fail(
                    part.at("$ref"), "this leads back to itself", hint="an object or array must stand between"
                )
            self._recursive.add(name)
            return _Typed(Ref(name))
        last = target.place.rsplit("/", 1)[-1].replace("~1", "/").replace("~0", "~")
        return self._opened(target, self._names.take(exported(last, "Type")))

    def _typed(self, parts: tuple[Part, ...], hint: _Hint) -> _Typed:
        """The type of a value for which all parts hold."""
        referred = len(parts) == 1 and only_reference(parts[0])
        self._count += 1
        self._depth += 1 if referred else 2
        if self._count > _MOST:
            self._source.fail(parts[0].place, f"the schema stands for more than {_MOST:,} values")
        if self._depth > _DEEPEST:
            self._source.fail(
                parts[0].place, "nested too deeply", hint="75 objects or 50 references are followed"
            )
        try:
            if referred:
                return self._described(parts[0], self._referred(parts[0]))
            member = alone(self._source, parts)
            if member is not None:
                return self._described(parts[0], self._typed((member,), hint))
            return self._merged(expand(self._source, parts), hint)
        finally:
            self._depth -= 1 if referred else 2

    def _described(self, part: Part, typed: _Typed) -> _Typed:
        """A type with what stands beside the reference to it."""
        own = part.schema.get("description")
        type = nullable(typed.type) if part.schema.get("nullable") is True else typed.type
        return replace(typed, type=type, doc=own if isinstance(own, str) else "")

    def _merged(self, parts: list[Part], hint: _Hint) -> _Typed:
        chosen, beside, unsaid = alternatives(self._source, parts)
        for place in unsaid:
            self._package.note(f"not said by the Go types: {place}")
        whole = merge(self._source, beside)
        type = self._one_of(chosen, beside, hint) if chosen else self._by_type(whole, hint)
        if whole.nullable or (chosen and "null" in (whole.types or ())):
            type = nullable(type)
        values = whole.values
        if values is not None and not chosen and whole.types is None:
            type = self._unions.of((type_of(value) for value in values), hint.name, own=hint.own)
        constant = values[0] if values is not None and len(values) == 1 else None
        found = rules.rules(whole.limits, values, type)
        if isinstance(bare(type), Slice | Map) and not chosen:
            found += whole.inside
        return _Typed(type, found, constant if is_constant(constant, type) else None, whole.doc)

    def _one_of(self, chosen: list[Part], beside: list[Part], hint: _Hint) -> Type:
        """The union of some schemas; what stands beside them holds for each."""
        base = tuple(beside) if says_more_than_type(beside) else ()
        types = []
        for number, one in enumerate(chosen, 1):
            part = called(one) or f"Option{number}"
            types.append(self._typed((one, *base), _Hint(inner(hint.name, part))).type)
        return self._unions.of(types, hint.name, own=hint.own)

    def _by_type(self, whole: Merged, hint: _Hint) -> Type:
        allowed = whole.allowed()
        if not allowed:
            return ANY
        plain = [name for name in allowed if name != "null"]
        # a document that may be null is not the struct itself
        single = len(plain) == 1 and (len(allowed) == 1 or hint.name != self._package.root)
        names = [hint if single else _Hint(hint.name)] * len(allowed)
        types = [self._simple(name, whole, own) for name, own in zip(allowed, names, strict=True)]
        return self._unions.of(types, hint.name, own=hint.own)

    def _simple(self, name: str, whole: Merged, hint: _Hint) -> Type:
        match name:
            case "object":
                return self._object(whole, hint)
            case "array":
                return self._array(whole, hint)
            case "null":
                return NULL
            case "boolean":
                return Scalar("bool")
            case "integer":
                return Scalar(integer(whole.limits))
            case "number":
                return Scalar("float64")
            case _:
                return Scalar("time" if whole.limits.get("format") == "date-time" else "string")

    def _array(self, whole: Merged, hint: _Hint) -> Slice:
        name = singular(hint.name)
        self._steps += 1
        found = [self._typed((part,), _Hint(name)) for part in whole.prefix]
        if whole.items:
            found.append(self._typed(tuple(whole.items), _Hint(name)))
        self._steps -= 1
        element = self._unions.of([one.type for one in found], name) if found else ANY
        whole.inside = rules.dive(element, found[0].rules if len(found) == 1 else ())
        return Slice(element)

    def _object(self, whole: Merged, hint: _Hint) -> Type:
        self._steps += 1
        others = [self._typed((part,), _Hint(inner(hint.name, "Value"))).type for part in whole.others]
        self._steps -= 1
        element = self._unions.of(others, inner(hint.name, "Value")) if others else ANY
        if not whole.properties and not whole.required and (others or not whole.closed):
            whole.inside = rules.dive(element)
            return Map(element)
        name = hint.name if hint.own else self._names.take(hint.name)
        names = Names(METHODS)
        keys = dict.fromkeys([*whole.properties, *whole.required])
        self._steps += 1
        fields = tuple(self._field(key, whole, name, names) for key in keys)
        self._steps -= 1
        rest = None
        if others or (self._keep_unknown and not whole.closed):
            rest = Rest(names.take("Extra"), element)
        closed = whole.closed and not others
        self._package.types[name] = Struct(name, fields, rest, closed, whole.doc)
        return Ref(name)

    def _field(self, key: str, whole: Merged, owner: str, names: Names) -> Field:
        parts = whole.properties.get(key, ())
        typed = self._typed(parts, _Hint(inner(owner, key))) if parts else _Typed(ANY)
        required = key in whole.required
        return Field(
            key,
            names.take(exported(key)),
            typed.type,
            required,
            rules.tagged(typed.rules, typed.type, required),
            typed.constant,
            typed.doc,
        )
