"""The few questions to type records that reading code needs answered: is this an abi.Type, an abi.ITab, the
type of a closure.

Reads abi.Type, abi.StructType, abi.ArrayType, abi.Name and abi.ITab (internal/abi/type.go, iface.go).
Imports the standard library and ``model``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from goretain.model.errors import GoretainError

Read = Callable[[int, int], bytes]
_RECORD = 48
_KINDS, _STRUCT, _ARRAY = 26, 25, 17
_DIRECT = {18: "chan", 21: "map", 22: "ptr"}
_SIZE_LIMIT = 1 << 40
_SHAPE, _ANY_POINTER = b"go.shape.", b"go.shape.*uint8"
#: Bytes of an abi.StructField, and how many of one struct are looked at.
_FIELD, _FIELDS_LIMIT = 24, 1 << 10
#: Words of a dictionary before its types that are looked at.
_BEFORE_TYPES = 32
#: TFlag: the name begins with a star that is not the type's.
_EXTRA_STAR = 2
#: A byte of a varint from here on says that another follows.
_CONTINUES = 128


class TypeRecords:
    """Type records of one module.

    Args:
        low, high: moduledata.types and etypes; what lies outside is not believed. In some Go versions strings
            and other read-only data lie inside as well, so records are looked at.
        read: memory at run-time addresses.
    """

    def __init__(self, low: int, high: int, read: Read) -> None:
        self._low, self._high = low, high
        self._read = read
        self._types: dict[int, bytes] = {}
        self._interfaces: dict[int, int] = {}
        self._type_names: dict[int, bytes] = {}

    def is_type(self, address: int) -> bool:
        """Whether an abi.Type is there."""
        return bool(self._record(address))

    def is_shape(self, address: int) -> bool:
        """Whether the type is one that generic code is compiled for, not a type of the source.

        Generic code of several types is made for their common shape and allocates by it: go.shape.[]uint8
        is laid out as all types are whose underlying type is []uint8.
        """
        return _SHAPE in self._type_name(address)

    def open_pointers(self, address: int) -> list[int]:
        """Offsets of the fields of a struct type that are the shape of any pointer."""
        raw = self._record(address)
        count = self._word(address + 64) if raw and raw[23] & 31 == _STRUCT else 0
        fields = [self._word(address + 56) + _FIELD * i for i in range(min(count, _FIELDS_LIMIT))]
        return [self._word(f + 16) for f in fields if self._type_name(self._word(f + 8)) == _ANY_POINTER]

    def receiver_in(self, dictionary: int, name: str) -> int:
        """The abi.Type of the T[...] whose methods are given a dictionary, 0 when that cannot be told.

        Addresses of code and of other dictionaries come first in it, then types, the first of which is that
        of the first variable whose type depends on T's arguments: the receiver, where it has a name. Source:
        cmd/compile/internal/noder/reader.go (readerDict). Nothing says where a dictionary ends.

        name: of T without package and arguments.
        """
        for at in range(dictionary, dictionary + 8 * _BEFORE_TYPES, 8):
            word = self._word(at)
            if not word or word % 8:
                return 0
            if self.is_type(word):
                t = self.pointer_element(word) if self.kind(word) == "ptr" else 0
                generic = self._type_name(t).partition(b"[")[0] if t else b""
                return t if generic.rpartition(b".")[2] == name.encode() else 0
        return 0

    def instance(self, dictionaries: set[int], method: str) -> int:
        """The type whose generic method of a name was given dictionaries, 0 where they do not tell."""
        generic, opened, _ = method.partition(".(*")[2].partition("[")
        found = {self.receiver_in(d, generic) for d in dictionaries} - {0} if opened else set()
        return found.pop() if len(found) == 1 else 0

    def _type_name(self, address: int) -> bytes:
        if address not in self._type_names:
            raw = self._record(address)
            at = self._low + int.from_bytes(raw[40:44], "little", signed=True) if raw else 0
            name = self._name(at) if raw else b""
            self._type_names[address] = name[1:] if raw and raw[20] & _EXTRA_STAR else name
        return self._type_names[address]

    def size(self, address: int) -> int:
        """Bytes of a value of the type, -1 where there is none."""
        raw = self._record(address)
        return int.from_bytes(raw[:8], "little") if raw else -1

    def array_element(self, address: int) -> int:
        """The element's abi.Type of an array type, 0 for other types."""
        raw = self._record(address)
        return self._word(address + 48) if raw and raw[23] & 31 == _ARRAY else 0

    def dynamic_type(self, address: int) -> int:
        """The type that an interface's first word names: itself, or that of an itab; 0 when it is neither."""
        if self.interface_of(address):
            return self._word(address + 8)
        return address if self.is_type(address) else 0

    def kind(self, address: int) -> str:
        """The kind of a type whose values interfaces hold as they are: ptr, map, chan; "" for all others."""
        raw = self._record(address)
        return _DIRECT.get(raw[23] & 31, "") if raw else ""

    def pointer_element(self, address: int) -> int:
        """The abi.Type that a pointer type points to."""
        return self._word(address + 48)

    def is_closure(self, address: int) -> bool:
        """Whether it is the struct that the compiler makes for a closure: its first field is F, a uintptr.

        Source: cmd/compile/internal/closure/closure.go; the field is called .F in some versions.
        """
        raw = self._record(address)
        if not raw or raw[23] & 31 != _STRUCT:
            return False
        fields = self._word(address + 56)
        name = self._bytes(self._word(fields), 4) if fields else b""
        return len(name) == 4 and (name[1:3] == b"\x01F" or name[1:4] == b"\x02.F")

    def interface_of(self, address: int) -> int:
        """The interface's abi.Type of the abi.ITab at an address, 0 when there is none."""
        if address not in self._interfaces:
            inter = self._word(address)
            good = self.is_type(inter) and self.is_type(self._word(address + 8))
            self._interfaces[address] = inter if good else 0
        return self._interfaces[address]

    def begins_interface(self, address: int) -> bool:
        """Whether the word at an address is a type or itab now, as an interface's first word is."""
        word = self._word(address)
        return bool(word) and (self.is_type(word) or self.holds_itab(address))

    def holds_itab(self, address: int) -> bool:
        """Whether the word at an address is an itab now."""
        word = self._word(address)
        return bool(word) and bool(self.interface_of(word))

    def _record(self, address: int) -> bytes:
        """The start of the abi.Type at an address, empty when there is none."""
        known = self._types.get(address)
        if known is None:
            inside = self._low <= address <= self._high - _RECORD and address % 8 == 0
            raw = self._bytes(address, _RECORD) if inside else b""
            known = self._types[address] = raw if self._is_record(raw) else b""
        return known

    def _is_record(self, raw: bytes) -> bool:
        if len(raw) < _RECORD:
            return False
        size, pointers = int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:16], "little")
        name = int.from_bytes(raw[40:44], "little", signed=True)
        return (
            size < _SIZE_LIMIT
            and pointers <= size
            and pointers % 8 == 0
            and raw[21] in (1, 2, 4, 8)
            and raw[22] in (1, 2, 4, 8)
            and 0 < raw[23] & 31 <= _KINDS
            and 0 < name < self._high - self._low
        )

    def _bytes(self, address: int, size: int) -> bytes:
        """Memory; empty when it cannot be read."""
        with contextlib.suppress(GoretainError):
            return self._read(address, size)
        return b""

    def _name(self, address: int) -> bytes:
        """An abi.Name's text: a flag byte, the length as a varint, the bytes."""
        head = self._bytes(address, 4)
        if len(head) < 4:
            return b""
        length, width = head[1], 1
        if length >= _CONTINUES:
            length, width = length - _CONTINUES + (head[2] & 127) * _CONTINUES, 2
            if head[2] >= _CONTINUES:
                length, width = length + head[3] * _CONTINUES * _CONTINUES, 3
        return self._bytes(address + 1 + width, length)

    def _word(self, address: int) -> int:
        return int.from_bytes(self._bytes(address, 8), "little") if address > 0 else 0
