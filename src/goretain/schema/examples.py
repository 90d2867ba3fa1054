"""Documents that a type takes, and some that it does not: for the generated tests, which hold no user's data.

Imports ``model`` of this package.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from goretain.schema.model import (
    ANY,
    Boxed,
    Defined,
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
)

_VALUES: dict[Kind, Any] = {
    "string": 'text é " \\ \n',
    "bool": True,
    "int32": -7,
    "int64": 1 << 62,
    "uint64": (1 << 64) - 1,
    "float64": 1.5,
    "number": 10**30,
    "time": "2026-01-02T03:04:05Z",
    "any": {"any": [1, None, "x"]},
}
_WANT: dict[Kind, str] = {
    "string": "string",
    "time": "string",
    "bool": "boolean",
    "int32": "integer",
    "int64": "integer",
    "uint64": "integer",
    "float64": "number",
    "number": "number",
}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: How often a type may stand in itself, variants of unions that are shown, and refusals.
_REPEATS, _VARIANTS, _REFUSALS = 2, 6, 12
#: Values of one document that may be left out; and with those that must be there.
_SHOWN, _MOST = 400, 20_000
_LEFT_OUT = object()


class _EndlessError(Exception):
    """A type demands itself inside itself: no finite document has it."""


def accepted(package: Package) -> list[str]:
    """Documents of the root type: with all that may be there, for each variant, and with what must be."""
    found: dict[str, None] = {}
    most = max([len(t.variants) for t in package.types.values() if isinstance(t, Union)], default=1)
    for full, pick in [*((True, n) for n in range(min(most, _VARIANTS))), (False, 0)]:
        try:
            document = _Maker(package, full, pick).value(Ref(package.root), {})
        except _EndlessError:
            continue
        found[json.dumps(document, ensure_ascii=False)] = None
    return list(found)


def refused(package: Package) -> list[tuple[str, str]]:
    """Documents with one thing that does not fit, each with the error that names it."""
    try:
        document = _Maker(package, True, 0).value(Ref(package.root), {})
    except _EndlessError:
        return []
    found = []
    for path, want in _places(Ref(package.root), document, (), package):
        broken = _put(document, path, "text" if want == "boolean" else True)
        got = "string" if want == "boolean" else "boolean"
        found.append((json.dumps(broken, ensure_ascii=False), f"{_shown(path)}: want {want}, got {got}"))
        if len(found) == _REFUSALS:
            break
    root = package.types[package.root]
    for field in root.fields if isinstance(root, Struct) else ():
        if field.required and _PLAIN.fullmatch(field.key):
            rest = {key: value for key, value in document.items() if key != field.key}
            found.append((json.dumps(rest, ensure_ascii=False), f"{field.key}: missing"))
            break
    return found


class _Maker:
    """Makes a value of a type; full: with all that may be there; pick: which variant of a union."""

    def __init__(self, package: Package, full: bool, pick: int) -> None:
        self._package, self._full, self._pick = package, full, pick
        self._count = 0

    def value(self, type: Type, inside: dict[str, int]) -> Any:
        """A value; inside: how often each type is around it."""
        self._count += 1
        if self._count > _MOST:
            raise _EndlessError
        match type:
            case Scalar(kind):
                return copy.deepcopy(_VALUES[kind])
            case Slice(element):
                made = self._maybe(element, inside)
                return [] if made is _LEFT_OUT else [made]
            case Map(element):
                made = self._maybe(element, inside)
                return {} if made is _LEFT_OUT else {"a key": made}
            case Nullable(of):
                made = self._maybe(of, inside)
                return None if made is _LEFT_OUT else made
            case Boxed(of):
                return self.value(of, inside)
            case Ref(name):
                if inside.get(name, 0) >= _REPEATS:
                    raise _EndlessError
                return self._declared(name, {**inside, name: inside.get(name, 0) + 1})

    def _declared(self, name: str, inside: dict[str, int]) -> Any:
        match self._package.types[name]:
            case Struct() as struct:
                return self._object(struct, inside)
            case Defined() as defined:
                return self.value(defined.type, inside)
            case Union() as union:
                return self.value(union.variants[self._pick % len(union.variants)].type, inside)

    def _object(self, struct: Struct, inside: dict[str, int]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for field in struct.fields:
            if field.constant is not None and (field.required or self._full):
                made[field.key] = field.constant
            elif field.required:
                made[field.key] = self.value(field.type, inside)
            elif (value := self._maybe(field.type, inside)) not in (None, _LEFT_OUT):
                made[field.key] = value  # what may be left out is not written as null
        rest = _LEFT_OUT if struct.rest is None else self._maybe(struct.rest.element, inside)
        if rest is not _LEFT_OUT:
            made.setdefault("an extra key", rest)
        return made

    def _maybe(self, type: Type, inside: dict[str, int]) -> Any:
        """A value that may be left out, as it is where there are enough or it would have no end."""
        if not self._full or self._count > _SHOWN:
            return _LEFT_OUT
        try:
            return self.value(type, inside)
        except _EndlessError:
            return _LEFT_OUT


_Step = str | int


def _places(
    type: Type, value: Any, path: tuple[_Step, ...], package: Package
) -> Iterator[tuple[tuple[_Step, ...], str]]:
    """Places of a document at which one kind of value is due, and which."""
    match type:
        case Nullable(of) | Boxed(of):
            if value is not None and of != ANY:
                yield from _places(of, value, path, package)
        case Scalar(kind):
            if kind in _WANT:
                yield path, _WANT[kind]
        case Slice(element):
            yield path, "array"
            for index, one in enumerate(value):
                yield from _places(element, one, (*path, index), package)
        case Map():
            yield path, "object"
        case Ref(name):
            declared = package.types[name]
            if isinstance(declared, Defined):
                yield from _places(declared.type, value, path, package)
            elif isinstance(declared, Struct):
                yield path, "object"
                for field in declared.fields:
                    if field.key in value and _PLAIN.fullmatch(field.key):
                        yield from _places(field.type, value[field.key], (*path, field.key), package)


def _put(document: Any, path: tuple[_Step, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(document)
    here = changed
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    return changed


def _shown(path: tuple[_Step, ...]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "document"
