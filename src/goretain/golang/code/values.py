"""Values and places of ``kernels.codevalues``, taken apart. Imports ``kernels``."""

from __future__ import annotations

from goretain.kernels import codevalues


def place_of(value: int) -> tuple[int, bool]:
    """The place that a value is the address of, or (True) stood in."""
    kind, payload = value >> codevalues.SHIFT, value & codevalues.PAYLOAD
    if kind >= codevalues.WITHIN:
        return value - (codevalues.WITHIN - codevalues.ELEMENT << codevalues.SHIFT), False
    if kind >= codevalues.ELEMENT:
        return value, True
    return payload, kind == codevalues.LOADED


def address_of(place: int) -> tuple[int, int]:
    """Address of a place of data, and the bytes to the next element of its array, 0 where it is in none."""
    words = (place >> codevalues.SHIFT) - codevalues.ELEMENT
    return place & codevalues.PAYLOAD, max(words, 0) * 8


def parts_of(value: int) -> tuple[int, int]:
    """Kind and abi.Type of a value."""
    return value >> codevalues.SHIFT, value & codevalues.PAYLOAD
