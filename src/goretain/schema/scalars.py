"""Which Go type a whole number or a value of an enum has. Imports this package."""

from __future__ import annotations

import math
from typing import Any

from goretain.schema.documents import Huge
from goretain.schema.model import ANY, NULL, Kind, Map, Scalar, Slice, Type

_FORMATS: dict[str, Kind] = {"int32": "int32", "uint64": "uint64", "uint32": "uint64"}


def integer(limits: dict[str, Any]) -> Kind:
    """The type for whole numbers within limits."""
    low, high = (_limit(limits.get(word)) for word in ("minimum", "maximum"))
    if high >= 1 << 63:
        return "uint64" if low >= 0 and high < 1 << 64 else "number"
    if low < -(1 << 63):
        return "number"
    name = limits.get("format")
    return _FORMATS.get(name, "int64") if isinstance(name, str) else "int64"


def _limit(value: Any) -> float:
    """A limit as a number, 0 where there is none: nothing that int64 would not hold."""
    if isinstance(value, Huge):
        return -math.inf if value.text.startswith("-") else math.inf
    return value if isinstance(value, (int, float)) else 0


def type_of(value: Any) -> Type:
    """The type of one value of an enum."""
    match value:
        case None:
            return NULL
        case bool():
            return Scalar("bool")
        case int() if -(1 << 63) <= value < 1 << 63:
            return Scalar("int64")
        case float():
            return Scalar("float64")
        case str():
            return Scalar("string")
        case dict():
            return Map(ANY)
        case list():
            return Slice(ANY)
        case _:
            return Scalar("number")


def is_constant(constant: Any, type: Type) -> bool:
    """Whether a constant is one that objects can be told apart by."""
    match constant:
        case str():
            return type == Scalar("string")
        case bool():
            return type == Scalar("bool")
        case int():
            return type == Scalar("int64")
        case _:
            return False
