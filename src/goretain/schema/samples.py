"""From sample documents to Go types: what was seen decides.

A key that every object at a place had is required, another optional; null beside a type makes it nullable; an
object whose keys look like data, or with more than a hundred different ones, is a map; objects that hold
objects of the same keys are one recursive type. Imports this package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from goretain.model.errors import UsageError
from goretain.schema import rules
from goretain.schema.model import (
    ANY,
    NULL,
    Field,
    Kind,
    Map,
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
from goretain.schema.rewrite import declare_root
from goretain.schema.shapes import Seen, Shape, fold
from goretain.schema.unions import Unions

#: With more different keys an object is a map.
_MOST_KEYS = 100
#: Fields of all structs, at most: more are data.
_MOST_FIELDS = 50_000
#: Keys that are data: numbers, dates, UUIDs, digests.
_DATA_KEY = re.compile(
    r"[+-]?\d+|\d{4}-\d\d(-\d\d([T ].*)?)?"
    r"|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?=.*\d)[0-9a-fA-F]{16,}"
)


def from_samples(
    documents: Iterable[Any], root: str, *, keep_unknown: bool = False, taken: frozenset[str] = frozenset()
) -> Package:
    """The types of some documents.

    Args:
        documents: parsed, see ``documents``; they are read one after the other and not kept.
        root: name of the documents' type.
        keep_unknown: structs keep keys that no sample had.
        taken: names that types may not have.

    Raises:
        UsageError: there are too many different keys.
    """
    seen = Seen()
    for document in documents:
        seen.add(document)
    return _Inferred(keep_unknown, taken).package(seen, root)


class _Inferred:
    """Makes the types of one package from what was seen."""

    def __init__(self, keep_unknown: bool, taken: frozenset[str]) -> None:
        self._keep_unknown = keep_unknown
        self._names = Names(taken)
        self._package = Package()
        self._unions = Unions(self._package, self._names)
        self._structs: dict[int, str] = {}
        self._fields = 0

    def package(self, seen: Seen, root: str) -> Package:
        """All types, the root's under its name."""
        _to_maps(seen)
        fold(seen)
        self._package.root = self._names.take(root)
        for key in seen.doubled:
            self._package.note(f"the key {key!r} stood twice in one object: the last one counts")
        type = self._type(seen, root, own=True)
        declare_root(self._package, self._unions, type, "")
        self._unions.settle()
        return self._package

    def _type(self, seen: Seen, name: str, *, own: bool = False) -> Type:
        """The type of what stood at one place."""
        types: list[Type] = [Scalar(kind) for kind in _scalars(seen)]
        if seen.null:
            types.append(NULL)
        if seen.items is not None:
            types.append(Slice(self._type(seen.items, singular(name))))
        if seen.values is not None:
            types.append(Map(self._type(seen.values, inner(name, "Value"))))
        if seen.shape is not None:
            types.append(self._object(seen.shape, name, own=own and len(types) == 0))
        return self._unions.of(types, name, own=own) if types else ANY

    def _object(self, shape: Shape, name: str, *, own: bool) -> Type:
        known = self._structs.get(id(shape))
        if known is not None:
            return Ref(known)
        if not shape.fields:
            return Map(ANY)
        name = name if own else self._names.take(name)
        self._structs[id(shape)] = name
        names = Names(METHODS)
        fields = tuple(self._field(key, shape, name, names) for key in shape.fields)
        rest = Rest(names.take("Extra"), ANY) if self._keep_unknown else None
        self._package.types[name] = Struct(name, fields, rest)
        return Ref(name)

    def _field(self, key: str, shape: Shape, owner: str, names: Names) -> Field:
        self._fields += 1
        if self._fields > _MOST_FIELDS:
            raise UsageError(
                f"the samples have more than {_MOST_FIELDS:,} different fields",
                hint="most of these keys are data; give documents that are alike",
            )
        seen = shape.fields[key]
        type = self._type(seen, inner(owner, key))
        required = shape.counts[key] == shape.objects
        tag = rules.tagged(_inside(type), type, required)
        doc = "Samples had only null here." if type == NULL else ""
        return Field(key, names.take(exported(key)), type, required, tag, doc=doc)


def _scalars(seen: Seen) -> Iterator[Kind]:
    """The types of the scalars at a place."""
    if seen.boolean:
        yield "bool"
    if seen.strings:
        yield "time" if seen.times == seen.strings else "string"
    if seen.huge or (seen.floats and max(-seen.low, seen.high) > 1 << 53):
        yield "number"
    elif seen.floats:
        yield "float64"
    elif seen.integers:
        whole = seen.high < 1 << 63
        yield "int64" if whole else "uint64" if seen.low >= 0 else "number"


def _inside(type: Type) -> tuple[str, ...]:
    plain = bare(type)
    return rules.dive(plain.element) if isinstance(plain, Slice | Map) else ()


def _to_maps(seen: Seen) -> None:
    """Make maps of objects whose keys are data; their values are then seen together."""
    pending = [seen]
    while pending:
        one = pending.pop()
        shape = one.shape
        if shape is not None and _is_map(shape):
            one.shape, one.values = None, one.values or Seen()
            for value in shape.fields.values():
                one.values.merge(value)
            shape = None
        pending += [inner for inner in (one.items, one.values) if inner is not None]
        pending += shape.fields.values() if shape is not None else ()


def _is_map(shape: Shape) -> bool:
    keys = shape.fields
    return len(keys) > _MOST_KEYS or (bool(keys) and all(map(_DATA_KEY.fullmatch, keys)))
