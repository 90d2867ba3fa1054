"""Validate tags, in the words of go-playground/validator, from what a JSON Schema demands of a value.

Only what both mean alike is written. ``required`` of that library refuses zero values, which JSON Schema's
``required`` does not: it is written only where zero is refused anyway; that a key is there, decoding checks.
Imports the standard library and ``model`` of this package.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, TypeGuard

from goretain.schema.model import ANY, Map, Nullable, Ref, Scalar, Slice, Type, bare

_FORMATS = {
    "email": "email",
    "uri": "uri",
    "uuid": "uuid",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "hostname": "hostname_rfc1123",
    "date": "datetime=2006-01-02",
}
#: Largest whole number that 64 bits and a float64 agree on.
_EXACT = 1 << 53
_WORD = re.compile(r"[^\s'|,`\"\\]+")


def rules(limits: dict[str, Any], values: Sequence[Any] | None, type: Type) -> tuple[str, ...]:
    """Rules for a value of a type.

    Args:
        limits: words of the schema (minLength, maximum, format ...) and their values.
        values: those that ``enum`` or ``const`` allow, None where all are.
        type: of the value.
    """
    match bare(type):
        case Scalar("string"):
            return (*_lengths(limits, "Length"), *_format(limits), *_one_of(values))
        case Scalar("int32" | "int64" | "uint64" | "float64") as scalar:
            return (*_bounds(limits, whole=scalar.kind != "float64"), *_one_of(values))
        case Slice(element):
            unique = ("unique",) if limits.get("uniqueItems") is True and _comparable(element) else ()
            return (*_lengths(limits, "Items"), *unique)
        case Map():
            return _lengths(limits, "Properties")
        case _:
            return ()


def dive(element: Type, inner: Sequence[str] = ()) -> tuple[str, ...]:
    """Rules for the elements of a slice or map, to stand behind its own."""
    return ("dive", *inner) if inner or isinstance(bare(element), Ref) else ()


def tagged(rules: Sequence[str], type: Type, required: bool) -> tuple[str, ...]:
    """The whole tag of a field, from the rules for its value."""
    if not required or isinstance(type, Nullable):
        return ("omitempty", *rules) if rules else ()
    zero_is_refused = isinstance(type, Slice | Map) or _refuses_zero(rules, type)
    return ("required", *rules) if zero_is_refused else tuple(rules)


def _refuses_zero(rules: Sequence[str], type: Type) -> bool:
    if type == Scalar("string"):
        return any(re.fullmatch(r"min=[1-9]\d*", rule) for rule in rules)
    return any(re.fullmatch(r"gte?=([1-9].*|0\.\d*[1-9].*)|gt=0", rule) for rule in rules)


def _lengths(limits: dict[str, Any], of: str) -> tuple[str, ...]:
    found = []
    for rule, word in (("min", f"min{of}"), ("max", f"max{of}")):
        limit = limits.get(word)
        if _is_number(limit) and 0 <= limit < _EXACT and (rule == "max" or limit > 0):
            found.append(f"{rule}={math.ceil(limit) if rule == 'min' else math.floor(limit)}")
    return tuple(found)


def _bounds(limits: dict[str, Any], *, whole: bool) -> tuple[str, ...]:
    found = []
    for rule, word, strict in (
        ("gte", "minimum", False),
        ("gt", "exclusiveMinimum", True),
        ("lte", "maximum", False),
        ("lt", "exclusiveMaximum", True),
    ):
        limit = limits.get(word)
        if not _is_number(limit) or abs(limit) >= _EXACT:
            continue
        if not strict and limits.get(f"exclusive{word.capitalize()}") is True:  # draft 4
            rule = rule[:2]
        if whole and limit != int(limit):
            rule, limit = ("gte", math.ceil(limit)) if rule[0] == "g" else ("lte", math.floor(limit))
        found.append(f"{rule}={_number(limit)}")
    return tuple(found)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _format(limits: dict[str, Any]) -> tuple[str, ...]:
    name = limits.get("format")
    return (_FORMATS[name],) if isinstance(name, str) and name in _FORMATS else ()


def _one_of(values: Sequence[Any] | None) -> tuple[str, ...]:
    """``oneof`` of words and whole numbers; of others the library knows none."""
    words = []
    for value in values or ():
        if isinstance(value, str) and _WORD.fullmatch(value):
            words.append(value)
        elif isinstance(value, str) and value and re.fullmatch(r"[^'|,`\"\\\n\r\t]+", value):
            words.append(f"'{value}'")
        elif isinstance(value, int) and not isinstance(value, bool):
            words.append(str(value))
        elif value is not None:
            return ()
    return (f"oneof={' '.join(words)}",) if words else ()


def _comparable(type: Type) -> bool:
    return isinstance(type, Scalar) and type != ANY and type.kind != "time"
