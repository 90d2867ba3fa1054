"""Decoders of debugging information entries, generated: one Python function per abbreviation.

Interpreting forms one by one takes 50 us an entry; a function with the offsets written out takes one or two.
Only numbers go into the generated source, never text of the file. Source: DWARF 5, sections 7.5.5 and 7.5.6.
May import ``debuginfo``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from goretain.debuginfo.dwarf.abbrev import sleb, uleb

AT_LOCATION, AT_NAME, AT_BYTE_SIZE, AT_LOW_PC, AT_HIGH_PC, AT_LANGUAGE = 0x02, 0x03, 0x0B, 0x11, 0x12, 0x13
AT_CONST_VALUE, AT_UPPER_BOUND, AT_ABSTRACT_ORIGIN, AT_COUNT = 0x1C, 0x2F, 0x31, 0x37
AT_MEMBER_LOCATION, AT_TYPE, AT_VARIABLE_PARAMETER = 0x38, 0x49, 0x4B
AT_ADDR_BASE, AT_LOCLISTS_BASE = 0x73, 0x8C
AT_GO_KIND, AT_GO_KEY, AT_GO_ELEM, AT_GO_EMBEDDED = 0x2900, 0x2901, 0x2902, 0x2903
AT_GO_RUNTIME_TYPE, AT_GO_CLOSURE_OFFSET = 0x2904, 0x2907

Skipper = Callable[[bytes, int], int]
"""(section, position after the code) -> position of the next DIE."""
Decoder = Callable[[bytes, int, Any], tuple[Any, ...]]
"""(section, position after the code, Unit) -> (position of the next DIE, values of the wanted attributes)."""

_FIXED = {
    0x01: 8, 0x05: 2, 0x06: 4, 0x07: 8, 0x0B: 1, 0x0C: 1, 0x11: 1, 0x12: 2, 0x13: 4, 0x14: 8, 0x19: 0,
    0x1C: 4, 0x1E: 16, 0x20: 8, 0x21: 0, 0x24: 8, 0x25: 1, 0x26: 2, 0x27: 3, 0x28: 4, 0x29: 1, 0x2A: 2,
    0x2B: 3, 0x2C: 4,
}  # fmt: skip
_OFFSET_SIZED = {0x0E, 0x10, 0x17, 0x1D, 0x1F, 0x1F20, 0x1F21}
_ULEB = {0x0F, 0x15, 0x1A, 0x1B, 0x22, 0x23}
_BLOCKS = {0x0A: 1, 0x03: 2, 0x04: 4}
_CONSTANTS = {0x05, 0x06, 0x07, 0x0B, 0x0D, 0x0F, 0x1E, 0x21}
_VALUES = {
    0x0E: "u.string({})", 0x1F: "u.line_string({})",
    0x11: "u.start+{}", 0x12: "u.start+{}", 0x13: "u.start+{}", 0x14: "u.start+{}", 0x15: "u.start+{}",
    0x1B: "u.address({})", 0x29: "u.address({})", 0x2A: "u.address({})", 0x2B: "u.address({})",
    0x2C: "u.address({})", 0x22: "u.location_list({})",
    0x1A: "None", 0x1D: "None", 0x25: "None", 0x26: "None", 0x27: "None", 0x28: "None",
}  # fmt: skip
"""What a form's raw number means, where it is not the value itself. Go uses no string indices (strx)."""

_SCOPE = {"frm": int.from_bytes, "uleb": uleb, "sleb": sleb}


class _Source:
    """Lines of a decoder being written: i is the position, ``ahead`` the bytes yet to be added to it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ahead = 0

    def settle(self) -> None:
        if self.ahead:
            self.lines.append(f" i+={self.ahead}")
            self.ahead = 0

    def fixed(self, size: int) -> str:
        """Expression of an unsigned number of size bytes at the current position, which then moves on."""
        at, self.ahead = self.ahead, self.ahead + size
        return f"b[i+{at}]" if size == 1 else f"frm(b[i+{at}:i+{at + size}],'little')"

    def uleb(self) -> None:
        """Read an unsigned LEB128 into n."""
        self.settle()
        self.lines.append(" n=b[i];i+=1\n if n>127:n,i=uleb(b,i-1)")


def _emit(source: _Source, form: int, implicit: int, target: str | None, offset_size: int) -> None:
    """Lines that move past one attribute and, when target is a name, assign its value to it."""
    lines = source.lines
    value = ""
    size = offset_size if form in _OFFSET_SIZED else _FIXED.get(form)
    if size is not None:
        value = {0x19: "1", 0x21: str(implicit)}.get(form) or source.fixed(size)
    elif form in _ULEB:
        source.uleb()
        value = "n"
    elif form == 0x0D:
        source.settle()
        lines.append(" n,i=sleb(b,i)" if target else " while b[i]>127:i+=1\n i+=1")
        value = "n"
    elif form == 0x08:
        source.settle()
        lines.append(f" j=b.index(0,i);{target}=b[i:j];i=j+1" if target else " i=b.index(0,i)+1")
        return
    elif form in _BLOCKS or form in (0x09, 0x18):
        if form in _BLOCKS:
            length = source.fixed(_BLOCKS[form])
            lines.append(f" n={length}")
            source.settle()
        else:
            source.uleb()
        lines.append(f" {target}=b[i:i+n];i+=n" if target else " i+=n")
        return
    else:
        raise ValueError(f"form {form:#x} is unknown")
    if target:
        lines.append(f" {target}={_VALUES.get(form, '{}').format(value)}")


def _function(lines: list[str], arguments: str, result: str) -> Any:
    scope: dict[str, Any] = dict(_SCOPE)
    exec(f"def decode({arguments}):\n" + "\n".join([*lines, f" return {result}"]), scope)
    return scope["decode"]


Attributes = tuple[tuple[int, int, int], ...]


def make_skipper(attributes: Attributes, offset_size: int) -> Skipper:
    """A function that moves past a DIE. Raises ValueError for an unknown form."""
    source = _Source()
    for _, form, implicit in attributes:
        _emit(source, form, implicit, None, offset_size)
    source.settle()
    skipper: Skipper = _function(source.lines, "b,i", "i")
    return skipper


def make_decoder(attributes: Attributes, wanted: tuple[int, ...], offset_size: int) -> Decoder:
    """A function that gives the wanted attributes' values in that order, None for those that are absent.

    References are offsets in .debug_info, addresses and list offsets are resolved, strings and blocks are
    bytes, DW_AT_high_pc is an address if DW_AT_low_pc is wanted too. Raises ValueError for an unknown form.
    """
    source = _Source()
    names: dict[int, str] = {}
    high_is_size = False
    for attribute, form, implicit in attributes:
        target = f"v{attribute}" if attribute in wanted else None
        _emit(source, form, implicit, target, offset_size)
        if target:
            names[attribute] = target
            high_is_size = form in _CONSTANTS if attribute == AT_HIGH_PC else high_is_size
    source.settle()
    if high_is_size and AT_LOW_PC in names:
        source.lines.append(f" v{AT_HIGH_PC}+=v{AT_LOW_PC}")
    values = "".join(f",{names.get(attribute)}" for attribute in wanted)
    decoder: Decoder = _function(source.lines, "b,i,u", f"(i{values},)" if not wanted else f"(i{values})")
    return decoder
