"""Names of the runtime's type records, written as the compiler's debug information writes them.

An ``abi.Type`` (internal/abi/type.go) says ``*http.Request``; ``UncommonType`` says that http is net/http.
Here a named type gets its import path, and a type without a name is composed of its parts, so that two types
share a name only when they are one type and a stripped program reads like one with debug information.
Imports ``golang.layout`` and this room.
"""

from __future__ import annotations

from functools import cached_property

from goretain.golang.layout import Program
from goretain.golang.types.gotypes import KINDS
from goretain.golang.types.moduletypes import ModuleTypes

_TYPE_BYTES = 48
_FLAG_UNCOMMON, _FLAG_EXTRA_STAR, _FLAG_NAMED = 1, 2, 4
_NAME_LIMIT = 1 << 14
_DEPTH_LIMIT = 32
#: Bytes of a type record of each kind, where its UncommonType follows: ArrayType, ChanType and so on.
_RECORD_BYTES = {
    "array": 72,
    "chan": 64,
    "func": 56,
    "interface": 80,
    "ptr": 56,
    "slice": 56,
    "struct": 80,
}
#: What the record of a map type is called: it differs between versions and experiments.
_MAP_RECORDS = ("internal/abi.SwissMapType", "internal/abi.OldMapType", "internal/abi.MapType")
_UNCOMMON_BYTES = 16
#: Types that the compiler makes for generic code are named by their structure.
_SHAPES = "go.shape"
_CHANNELS = {1: "<-chan ", 2: "chan<- ", 3: "chan "}
_VARIADIC = 1 << 15


class AbiNames:
    """Names by address of the abi.Type, each made once. Methods raise MissingMemory."""

    def __init__(self, program: Program, modules: ModuleTypes) -> None:
        self._program = program
        self._modules = modules
        self._known: dict[int, str] = {}

    def name(self, address: int, depth: int = 0) -> str:
        """``net/http.Request``, ``map[string]*main.User``; "" for a type that package reflect made."""
        known = self._known.get(address)
        if known is None:
            known = self._known[address] = self._name(address, depth)
        return known

    def of_field(self, address: int, number: int) -> str:
        """Name of a struct's field; ``field2`` for one that the program gave to reflect.StructOf as it ran.

        Such names may be keys of a document or columns of a database: data, which no report shows.
        """
        return self._text_at(address) if self._modules.base_of(address) else f"field{number}"

    def _text_at(self, address: int) -> str:
        """internal/abi/type.go Name: flag byte, varint length, bytes; "" at address 0."""
        if not address:
            return ""
        length, shift, at = 0, 0, address + 1
        while True:
            byte = self._program.memory.read(at, 1)[0]
            length |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128 or shift > 28:
                break
        return self._program.memory.read(at, min(length, _NAME_LIMIT)).decode("utf-8", "replace")

    def _name(self, address: int, depth: int) -> str:
        raw = self._program.memory.read(address, _TYPE_BYTES)
        offset = int.from_bytes(raw[40:44], "little", signed=True)
        base = self._modules.base_of(address)
        # A negative offset: made by package reflect, named in a table of the runtime (resolveNameOff).
        text = self._text_at(base + offset) if offset >= 0 and base else ""
        if raw[20] & _FLAG_EXTRA_STAR:
            text = text[1:]
        number = raw[23] & 31
        kind = KINDS[number] if number < len(KINDS) else ""
        if raw[20] & _FLAG_NAMED:
            return self._qualified(address, raw, base, kind, text)
        if not text or depth > _DEPTH_LIMIT:
            return text
        return self._composed(address, raw, kind, depth) or text

    def _qualified(self, address: int, raw: bytes, base: int, kind: str, text: str) -> str:
        """The name of a named type with its import path for the package's name."""
        path = self._package(address, raw, base, kind)
        if not path or path == _SHAPES:
            return text
        parents, slash, last = path.rpartition("/")
        # As the linker writes it (cmd/internal/objabi/path.go), so that the first dot ends the path.
        return f"{parents}{slash}{last.replace('.', '%2e')}.{text.partition('.')[2]}"

    def _package(self, address: int, raw: bytes, base: int, kind: str) -> str:
        """Import path of a named type: UncommonType.PkgPath."""
        if not raw[20] & _FLAG_UNCOMMON or not base:
            return ""
        size = self._map_record if kind == "map" else _RECORD_BYTES.get(kind, _TYPE_BYTES)
        if not size:
            return ""
        path = int.from_bytes(self._program.memory.read(address + size, 4), "little")
        return self._text_at(base + path) if path and self._modules.base_of(base + path) else ""

    @cached_property
    def _map_record(self) -> int:
        """Bytes of the record of a map type, 0 when the program's layout is not known."""
        layout = self._program.layout
        return next((layout.size(name) for name in _MAP_RECORDS if layout.has_struct(name)), 0)

    def _composed(self, address: int, raw: bytes, kind: str, depth: int) -> str:
        """The name of a type without one from its parts; "" for kinds that its own text describes best."""
        word = self._program.word

        def part(offset: int) -> str:
            return self.name(word(address + offset), depth + 1)

        if kind == "ptr":
            return f"*{part(48)}"
        if kind == "slice":
            return f"[]{part(48)}"
        if kind == "array":
            return f"[{word(address + 64)}]{part(48)}"
        if kind == "chan":
            return _CHANNELS.get(word(address + 56), "chan ") + part(48)
        if kind == "map":
            return f"map[{part(48)}]{part(56)}"
        return self._function(address, raw, depth) if kind == "func" else ""

    def _function(self, address: int, raw: bytes, depth: int) -> str:
        """``func(int, ...string) (bool, error)``: FuncType, then the types of parameters and results."""
        counts = self._program.memory.read(address + _TYPE_BYTES, 4)
        ins, outs = int.from_bytes(counts[:2], "little"), int.from_bytes(counts[2:], "little")
        at = address + _RECORD_BYTES["func"] + (_UNCOMMON_BYTES if raw[20] & _FLAG_UNCOMMON else 0)
        variadic, outs = bool(outs & _VARIADIC), outs & ~_VARIADIC
        names = [self.name(self._program.word(at + 8 * i), depth + 1) for i in range(ins + outs)]
        if variadic and ins:
            names[ins - 1] = "..." + names[ins - 1].removeprefix("[]")
        results = ", ".join(names[ins:])
        results = f" ({results})" if outs > 1 else f" {results}" if outs else ""
        return f"func({', '.join(names[:ins])}){results}"
