"""Where a profile in protobuf's wire format is damaged: protobuf's own parser does not say.

Walks the messages as :mod:`goretain.profile.message` describes them and knows the offset of each. Asked only
when something is wrong. Imports ``profile.message``.
"""

from __future__ import annotations

from goretain.profile.message import MESSAGES

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTH = {_FIXED64: 8, _FIXED32: 4}
_MESSAGES = {
    name: {number: (field, kind.removeprefix("*")) for field, number, kind in fields}
    for name, fields in MESSAGES.items()
}


class _Broken(Exception):
    """The bytes at an offset are not what the wire format allows there."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


def first_damage(data: bytes) -> tuple[int, str] | None:
    """Offset of the first thing that protobuf's wire format does not allow, and why; None where all fits."""
    try:
        _walk(data, 0, len(data), "Profile")
    except _Broken as broken:
        return broken.offset, broken.reason
    return None


def offset_of(data: bytes, field: str, index: int) -> int | None:
    """Offset of the index-th entry of a field of Profile, which parses.

    The last entry where there are fewer, as of packed numbers; None where there is none; of a group, which
    protobuf passes over and nobody writes, where that begins.
    """
    number = next(number for number, (name, _) in _MESSAGES["Profile"].items() if name == field)
    at, found = 0, None
    while at < len(data) and index >= 0:
        start = at
        try:
            tag, at = _varint(data, at, len(data))
            at = _behind(data, at, len(data), tag & 7, start)
        except _Broken as broken:
            return broken.offset
        if tag >> 3 == number:
            found = start
            index -= 1
    return found


def _walk(data: bytes, at: int, end: int, message: str) -> None:
    fields = _MESSAGES[message]
    while at < end:
        start = at
        tag, at = _varint(data, at, end)
        if not 0 < tag >> 3 < 1 << 29:
            raise _Broken(start, f"there is no field {tag >> 3} of {message}")
        name, kind = fields.get(tag >> 3, ("", ""))
        if tag & 7 == _BYTES:
            size, content = _varint(data, at, end)
            at = content + size
            if at > end:
                raise _Broken(start, f"a field of {message} is longer than what holds it")
            if kind[:1].isupper():
                _walk(data, content, at, kind)
            elif name and kind != "bytes":
                _numbers(data, content, at)
        else:
            at = _behind(data, at, end, tag & 7, start)


def _numbers(data: bytes, at: int, end: int) -> None:
    """A packed list of numbers."""
    while at < end:
        _, at = _varint(data, at, end)


def _behind(data: bytes, at: int, end: int, wire: int, start: int) -> int:
    """Offset behind a value."""
    if wire == _VARINT:
        return _varint(data, at, end)[1]
    if wire == _BYTES:
        size, at = _varint(data, at, end)
    elif wire in _WIDTH:
        size = _WIDTH[wire]
    else:
        raise _Broken(start, f"wire type {wire} is not used in profiles")
    if size > end - at:
        raise _Broken(start, "a field is longer than what holds it")
    return at + size


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A number of at most ten bytes, and the offset behind it."""
    value = 0
    for place in range(at, min(at + 10, end)):
        byte = data[place]
        value |= (byte & 127) << 7 * (place - at)
        if byte < 128:
            return value, place + 1
    raise _Broken(at, "a number is cut off" if end - at < 10 else "a number is longer than ten bytes")
