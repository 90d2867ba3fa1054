"""Compares what machine code says (``goretain.golang.code``) with debug information, claim by claim."""

from __future__ import annotations

import bisect
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from goretain.debuginfo.dwarf.dwarf import Dwarf
from goretain.debuginfo.elf.elf import Elf
from goretain.debuginfo.pclntab.pclntab import FuncTable
from goretain.golang.code import Claim, CodeEvidence, Slot, ValueKind
from goretain.golang.layout import Program, open_layout
from goretain.golang.packages import Packages, modules_of, package_of
from goretain.golang.roots.paths import locate
from goretain.golang.stacks.locations import stack_pieces
from goretain.golang.types.gotypes import GoType, Leaf
from goretain.golang.types.instances import Instances
from goretain.golang.types.universe import TypeUniverse
from goretain.kernels import x86
from goretain.model.places import user_cache
from goretain.snapshot import Layer


@dataclass(slots=True)
class Comparison:
    """right, wrong: claims by subject that debug information confirms or contradicts; silent: it says
    nothing; wrong_claims: what and why; recall: subject -> (found, all)."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)
    wrong_claims: list[str] = field(default_factory=list)
    recall: dict[str, tuple[int, int]] = field(default_factory=dict)

    def judge(self, subject: str, verdict: bool | None, text: str) -> None:
        """Counts one claim."""
        (self.silent if verdict is None else self.right if verdict else self.wrong)[subject] += 1
        if verdict is False:
            self.wrong_claims.append(f"{subject}: {text}")


@dataclass(slots=True)
class Opened:
    """A binary with all that the comparison asks."""

    elf: Elf
    dwarf: Dwarf
    universe: TypeUniverse
    functions: FuncTable
    evidence: CodeEvidence


class _File:
    """The file's bytes as memory at link addresses."""

    def __init__(self, elf: Elf) -> None:
        self._elf = elf

    def read(self, address: int, size: int) -> bytes:
        return self._elf.read_vaddr(address, size)


def open_binary(path: Path, *, renamed: bool = False) -> Opened:
    """Reads an unstripped executable that is not position-independent, and its code.

    renamed: give all functions other names first, as tools do that hide them.
    """
    elf = Elf.open(str(path))
    layout = open_layout(elf)
    program = Program(_File(elf), layout, 0)
    dwarf = Dwarf.open(elf, user_cache() / "dwarf")
    text = elf.sections[".text"]
    table = elf.sections[".gopclntab"]
    functions = FuncTable.from_section(elf.section(".gopclntab"), table.address, text.address)
    names = (".noptrdata", ".data", ".bss", ".noptrbss")
    data = [elf.sections[name] for name in names if name in elf.sections]
    if renamed:
        columns = functions.columns()
        columns.names[:] = [f"x{i}" for i in range(len(columns.names))]
        setattr(functions, "columns", lambda: columns)  # noqa: B010 (a method of one object)
    universe = TypeUniverse(program, dwarf)
    evidence = CodeEvidence.read(
        np.frombuffer(elf.section(".text"), np.uint8),
        text.address,
        functions,
        data=(min(s.address for s in data), max(s.address + s.size for s in data)),
        types=(program.moduledata("types"), program.moduledata("etypes")),
        read=elf.read_vaddr,
        shapes=Instances(universe).shapes,
    )
    return Opened(elf, dwarf, universe, functions, evidence)


def compare(path: Path) -> Comparison:
    """All claims about a binary against its debug information."""
    return compare_opened(open_binary(path))


def compare_opened(it: Opened) -> Comparison:
    """All claims of its evidence."""
    found = Comparison()
    _compare_globals(it, found)
    _compare_closures(it, found)
    _compare_slots(it, found)
    return found


# -- globals


def _variables(it: Opened) -> Iterator[tuple[str, int, GoType]]:
    for g in it.dwarf.globals:
        if g.type:
            yield g.name, g.address, it.universe.from_dwarf(g.type)


def _compare_globals(it: Opened, found: Comparison) -> None:
    variables = sorted((a, n, t) for n, a, t in _variables(it))
    starts = np.array([a for a, _, _ in variables], np.int64)
    for address, claim in it.evidence.globals.items():
        i = _variable(starts, variables, address)
        verdict, text = None, ""
        if i >= 0:
            start, name, t = variables[i]
            verdict = _holds(it, t, address - start, claim)
            text = f"{name}+{address - start} {t!r}: {claim} {it.universe.from_runtime(claim.type)}"
        found.judge("global", verdict, text)
    for element in it.evidence.elements:
        i = _variable(starts, variables, element.address)
        if i >= 0:
            start, name, t = variables[i]
            text = f"{name}+{element.address - start} {t!r}: {element}"
            last = it.evidence.extents.get(start, t.size)
            for offset in range(element.address - start, last, element.step):
                found.judge("element", _holds(it, t, offset, element.claim), f"{text} at {offset}")
    for behind in it.evidence.behind:
        i = _variable(starts, variables, behind.address)
        if i >= 0:
            start, name, t = variables[i]
            pointed, last = _behind(t, behind.address - start, behind.path)
            verdict = _holds(it, pointed, last, behind.claim) if pointed is not None else None
            said = it.universe.from_runtime(behind.claim.type)
            found.judge("behind", verdict, f"{name} {t!r} {behind} {pointed!r}+{last}: {said}")
    for receiver in it.evidence.receivers:
        i = _variable(starts, variables, receiver.address)
        if i >= 0:
            start, name, t = variables[i]
            instance = it.universe.from_runtime(receiver.type) if receiver.type else None
            called = instance.name if instance is not None else receiver.type_name
            pointed, last = _behind(t, receiver.address - start, receiver.path)
            verdict = (
                _receives(it, pointed, last, receiver.holds_pointer, called) if pointed is not None else None
            )
            found.judge("receiver", verdict, f"{name}+{receiver.address - start} {t!r}: {receiver}")
    packages = Packages(modules_of(it.elf.go_modinfo))
    told = sorted({r.address for r in it.evidence.receivers} | set(it.evidence.globals))
    for layer in (Layer.PROGRAM, Layer.STDLIB):
        of = [(a, t) for a, n, t in variables if packages.layer(package_of(n)) == layer and t.has_pointers]
        known = sum(_any_in(told, a, a + max(t.size, 1)) for a, t in of)
        found.recall[f"globals of {layer.name}"] = (known, len(of))


def _variable(starts: NDArray[np.int64], variables: list[tuple[int, str, GoType]], address: int) -> int:
    """Row of the variable that holds an address, -1 for none."""
    i = int(np.searchsorted(starts, address, side="right")) - 1
    inside = i >= 0 and address < variables[i][0] + max(variables[i][2].size, 1)
    return i if inside else -1


def _any_in(ascending: list[int], low: int, high: int) -> bool:
    i = bisect.bisect_left(ascending, low)
    return i < len(ascending) and ascending[i] < high


def _behind(t: GoType, offset: int, path: tuple[int, ...]) -> tuple[GoType | None, int]:
    """The type behind the pointer at an offset of t and those that follow, and the last offset in it; None
    where debug information has no type there."""
    found: GoType | None = t
    for step in path:
        leaf = locate(found, offset)[1] if found is not None else None
        found, offset = leaf.type.elem if leaf is not None else None, step
    return found, offset


def _leaf_at(t: GoType, offset: int) -> Leaf | None:
    leaf = locate(t, offset)[1]
    return leaf or locate(t, offset + 8)[1]  # an interface is found at its second word


def _first_parts(t: GoType | None) -> Iterator[GoType]:
    """A type, its first field, that one's first field, and so on."""
    while t is not None:
        yield t
        fields = [f.type for f in t.fields if f.type.size] if t.kind == "struct" else []
        t = fields[0] if fields else t.elem if t.kind == "array" else None


def same(a: GoType | None, b: GoType | None) -> bool:
    """Whether two types are one, by identity or by name and size."""
    return a is not None and b is not None and (a is b or (a.name, a.size) == (b.name, b.size))


def _holds(it: Opened, t: GoType, offset: int, claim: Claim) -> bool | None:
    said = it.universe.from_runtime(claim.type) if claim.type else None
    if claim.kind == ValueKind.VALUE:
        inside = t
        while inside.kind in ("struct", "array"):
            if offset == 0 and any(same(p, said) for p in _first_parts(inside)):
                return True
            if inside.kind == "array" and inside.elem is not None and inside.elem.size:
                offset, inside = offset % inside.elem.size, inside.elem
                continue
            part = next((f for f in inside.fields if f.offset <= offset < f.offset + f.type.size), None)
            if part is None:
                return False
            offset, inside = offset - part.offset, part.type
        # (*flagValue)(&name): the same memory under another name.
        converted = said is not None and (inside.kind, inside.size) == (said.kind, said.size)
        return offset == 0 and (same(inside, said) or converted)
    leaf = _leaf_at(t, offset)
    return leaf_agrees(it, leaf, claim) if leaf is not None else False


def leaf_agrees(it: Opened, leaf: Leaf, claim: Claim) -> bool | None:
    """Whether a word that debug information describes is what is claimed; None: it cannot say."""
    said = it.universe.from_runtime(claim.type) if claim.type else None
    if leaf.kind == "unsafeptr":
        return None
    if claim.kind == ValueKind.POINTER:
        elem = leaf.type.elem
        parts = list(_first_parts(said))
        if leaf.kind != "ptr" or elem is None or not any(_is_called(elem, p.name) for p in parts):
            return False
        given = [(_leaf_at(elem, at), part) for at, part in claim.given]
        return all(there is not None and leaf_agrees(it, there, part) for there, part in given)
    if claim.kind in (ValueKind.MAP, ValueKind.CHANNEL):
        return leaf.kind in ("map", "chan") and (same(leaf.type, said) or _same_parts(leaf.type, said))
    if claim.kind == ValueKind.SLICE:
        elem = leaf.type.elem
        return (leaf.kind in ("slice", "string") and same(elem, said)) or (
            leaf.kind == "ptr" and (same(elem, said) or (elem is not None and same(elem.elem, said)))
        )
    if claim.kind == ValueKind.FUNC:
        return leaf.kind == "func"
    return leaf.kind == "iface" and (not claim.type or same(leaf.type, said))


def _same_parts(a: GoType, b: GoType | None) -> bool:
    """Whether two map or channel types differ in name only (``type M map[K]V``)."""
    return b is not None and same(a.elem, b.elem) and (a.kind == "chan" or same(a.key, b.key))


def _is_called(t: GoType, name: str) -> bool:
    """Whether a type has a name, or is an instance of the generic type whose shape the name is."""
    return t.name == name or ("go.shape." in name and t.name.partition("[")[0] == name.partition("[")[0])


def _receives(it: Opened, t: GoType, offset: int, held: bool, name: str) -> bool | None:
    if held:
        leaf = _leaf_at(t, offset)
        parts = _first_parts(leaf.type.elem if leaf is not None else None)
        return any(_is_called(p, name) for p in parts)
    shape = "go.shape." in name
    said = it.universe.named(name)
    if not shape and (said is None or not said.size):
        return None if said is not None else False
    inside = t
    while True:
        begun = list(_first_parts(inside)) if offset == 0 else []
        if any(_is_called(p, name) if shape or said is None else same(p, said) for p in begun):
            return True
        if inside.kind == "array" and inside.elem is not None and inside.elem.size:
            offset, inside = offset % inside.elem.size, inside.elem
            continue
        part = next((f for f in inside.fields if f.offset <= offset < f.offset + f.type.size), None)
        if part is None:
            return False
        offset, inside = offset - part.offset, part.type


# -- closures


def _compare_closures(it: Opened, found: Comparison) -> None:
    for pc, address in it.evidence.closures.items():
        t, function = it.universe.from_runtime(address), it.dwarf.function_at(pc)
        captured = [
            v
            for v in (function.variables if function is not None else ())
            if v.closure_offset > 0 and v.type and it.universe.from_dwarf(v.type).size
        ]
        fields = {f.offset: f.type for f in t.fields if f.type.size} if t is not None else {}
        wrong = [
            v.name
            for v in captured
            if not v.type
            or not _captures(fields.get(v.closure_offset), it.universe.from_dwarf(v.type), v.name)
        ]
        name = function.name if function else hex(pc)
        verdict = not wrong if captured or (wrong and t) else None
        if t is None or t.kind != "struct" or not t.fields or t.fields[0].name not in ("F", ".F"):
            verdict = False
        found.judge("closure", verdict, f"{name} {t} {fields} {wrong}")
    known = [
        f.entry
        for i in range(len(it.functions))
        if (f := it.functions.find(int(it.functions.entries[i]))) is not None
        and (d := it.dwarf.function_at(f.entry)) is not None
        and any(v.closure_offset > 0 for v in d.variables)
    ]
    found.recall["closures"] = (sum(pc in it.evidence.closures for pc in known), len(known))


def _captures(field_type: GoType | None, variable: GoType, name: str) -> bool:
    """Whether a closure's field is the captured variable; one captured by reference is a pointer to it.

    A copy that the closure moves to the heap is described as the pointer to that, &x.
    """
    if name.startswith("&") and same(field_type, variable.elem):
        return True
    return field_type is not None and (
        same(field_type, variable)
        or (field_type.kind, field_type.size) == (variable.kind, variable.size)
        or same(field_type.elem, variable)
    )


# -- stack slots


@dataclass(frozen=True, slots=True)
class _Home:
    """Debug information has the word at ``offset`` of a variable in a stack slot from pc ``low`` on."""

    name: str
    type: GoType
    offset: int
    low: int
    in_pieces: bool


def _compare_slots(it: Opened, found: Comparison) -> None:
    for row, slots in it.evidence.slots.items():
        function = it.dwarf.function_at(int(it.functions.entries[row]))
        if function is None:
            continue
        homes: dict[int, list[_Home]] = {}
        for variable in function.variables:
            for low, _, expression in variable.location:
                for piece in stack_pieces(expression) if variable.type else ():
                    t = it.universe.from_dwarf(variable.type)
                    for k in range(0, piece.size if piece.size > 0 else t.size, 8):
                        home = _Home(variable.name, t, piece.offset + k, low, piece.size > 0)
                        homes.setdefault(piece.cfa_offset + k, []).append(home)
        for slot in slots:
            there = homes.get(slot.offset, [])
            verdict = _slot_verdict(it, slot, there)
            if verdict is False:
                verdict = _slot_verdict(it, slot, _stored(it, function.low, function.high, there))
            found.judge("slot", verdict, f"{function.name} CFA{slot.offset:+d} {slot} {there}")


def _stored(it: Opened, low: int, high: int, homes: list[_Home]) -> list[_Home]:
    """Those that begin right behind a store to the stack or at the function's entry.

    The compiler also lists homes of variables of inlined calls that nothing was ever stored to, and gives a
    struct that it took apart, and of which it keeps one field, that field's home without saying which.
    """
    text = it.elf.sections[".text"]
    raw = np.frombuffer(it.elf.section(".text"), np.uint8)
    ins, at, behind = np.zeros(x86.WIDTH, np.int64), low - text.address, {low}
    while at < high - text.address:
        size = x86.decode(raw, at, high - text.address, x86.FORMS, ins)
        if not size:
            break
        at += size
        if ins[x86.OP] == 0x89 and ins[x86.MODE] == x86.MEMORY and ins[x86.BASE] == 4:
            behind.add(at + text.address)
    return [h for h in homes if h.low in behind and (h.type.size <= 8 or h.in_pieces or h.low == low)]


def _slot_verdict(it: Opened, slot: Slot, homes: list[_Home]) -> bool | None:
    verdicts: list[bool | None] = []
    for home in homes:
        here, leaf = locate(home.type, home.offset)[1], _leaf_at(home.type, home.offset)
        if here is not None and here.kind in ("eface", "iface"):
            continue  # an interface's data word: what every store agrees on is right
        if leaf is None:
            verdicts.append(False)
        elif slot.claim is None:
            parts = _first_parts(leaf.type.elem)
            verdicts.append(leaf.kind == "ptr" and any(_is_called(p, slot.receiver) for p in parts))
        else:
            verdicts.append(leaf_agrees(it, leaf, slot.claim))
    if all(v is None for v in verdicts):
        return None
    return any(v is True for v in verdicts)


def main(paths: list[str]) -> None:
    """Prints the figures of binaries: claims by subject, and the processor time that reading them took."""
    for path in paths:
        it = open_binary(Path(path))  # kernels are compiled now
        begun = time.process_time()
        it = open_binary(Path(path))
        spent = time.process_time() - begun
        found = compare_opened(it)
        print(f"{path}: {it.elf.sections['.text'].size / 1e6:.1f} MB of code, opened in {spent:.2f} s")
        for subject in sorted(found.right | found.wrong | found.silent):
            counts = (found.right[subject], found.wrong[subject], found.silent[subject])
            print("  {}: {} right, {} wrong, {} not described".format(subject, *counts))
        for subject, (known, all_) in found.recall.items():
            print(f"  {subject}: {known} of {all_}")


if __name__ == "__main__":
    main(sys.argv[1:])
