"""The types inside maps, channels and closures: what their pointers lead to, by name and layout.

Swiss maps (internal/runtime/maps.Map, table, group; Go 1.24 on) and classic maps (runtime.hmap, bmap) are
read from the debug information's generic twins (``map<K,V>``, ``hash<K,V>``, ``bucket<K,V>``) or, for types
that only the runtime describes, from abi.MapType's group or bucket type. Imports ``golang.types.gotypes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from goretain.golang.types.gotypes import GoField, GoType
from goretain.golang.types.universe import TypeUniverse
from goretain.snapshot.tables import Role

SWISS_MAP = "internal/runtime/maps.Map"
SWISS_TABLE = "internal/runtime/maps.table"
CLASSIC_MAP = "runtime.hmap"
#: What type records call the fields of a bucket (MapBucketType, cmd/compile/internal/reflectdata/reflect.go)
#: -> what debug information calls them.
_BUCKET_FIELDS = {"topbits": "tophash", "elems": "values"}


@dataclass(slots=True)
class MapParts:
    """The allocations behind a map type: header; groups (or buckets); for Swiss maps also directory and
    table."""

    map_type: GoType
    header: GoType
    groups: GoType | None
    directory: GoType | None = None
    table: GoType | None = None

    @property
    def swiss(self) -> bool:
        """Whether this is a Swiss map."""
        return self.table is not None


class MapTypes:
    """Map parts by map type, each built once."""

    def __init__(self, universe: TypeUniverse) -> None:
        self.universe = universe
        self.swiss = universe.struct(SWISS_TABLE) is not None
        self._parts: dict[int, MapParts | None] = {}

    def parts(self, t: GoType) -> MapParts | None:
        """The parts of a map type; None when the program describes none of them."""
        if id(t) not in self._parts:
            self._parts[id(t)] = self._swiss(t) if self.swiss else self._classic(t)
        return self._parts[id(t)]

    def _swiss(self, t: GoType) -> MapParts | None:
        generic, generic_table = self.universe.struct(SWISS_MAP), self.universe.struct(SWISS_TABLE)
        if generic is None or generic_table is None:
            return None
        groups = self._swiss_groups(t)
        table = _renamed(generic_table, f"{t.name} table", "map-table")
        pointer = GoType(f"*{table.name}", "ptr", 8, elem_ref=table)
        directory = _renamed(pointer, f"{t.name} directory", "map-directory")
        header = _renamed(generic, f"{t.name} header", "map-header")
        return MapParts(t, header, groups, directory, table)

    def _swiss_groups(self, t: GoType) -> GoType | None:
        inner = t.inner
        if inner is None:
            return None
        if inner.field_named("ctrl") is not None:  # abi.MapType.Group
            return _renamed(inner, f"{t.name} groups", "map-groups")
        directory = inner.field_named("dirPtr")
        table = _pointee(_pointee(directory.type if directory else None))
        reference = table.field_named("groups") if table else None
        data = reference.type.field_named("data") if reference else None
        group = _pointee(data.type if data else None)
        return _renamed(group, f"{t.name} groups", "map-groups") if group else None

    def _classic(self, t: GoType) -> MapParts | None:
        generic = self.universe.struct(CLASSIC_MAP)
        if generic is None:
            return None
        inner = t.inner
        bucket = inner
        if inner is not None and inner.field_named("buckets") is not None:
            field = inner.field_named("buckets")
            bucket = _pointee(field.type if field else None)
        groups = _renamed(bucket, f"{t.name} buckets", "map-groups") if bucket else None
        if groups is not None:
            # Overflow buckets are buckets of the same map, whatever the field's own type calls them.
            chained = self._classic_has_pointers(groups)
            link = GoType(f"*{groups.name}", "ptr", 8, elem_ref=groups) if chained else _word()
            groups.fields = [
                GoField(
                    _BUCKET_FIELDS.get(f.name, f.name), f.offset, link if f.name == "overflow" else f.type
                )
                for f in groups.fields
            ]
        return MapParts(t, _renamed(generic, f"{t.name} header", "map-header"), groups)

    @staticmethod
    def _classic_has_pointers(bucket: GoType) -> bool:
        # Buckets of pointer-free keys and values are pointer-free: hmap.extra keeps their overflow buckets
        # alive.
        return any(f.type.has_pointers for f in bucket.fields if f.name != "overflow")


def _word() -> GoType:
    return GoType("uintptr", "uintptr", 8)


def _pointee(t: GoType | None) -> GoType | None:
    return t.elem if t is not None and t.kind == "ptr" else None


def _renamed(t: GoType, name: str, role: Role) -> GoType:
    return replace(t, name=name, role=role, index=-1, runtime_address=0, leaf_cache=None, run_cache=None)


def channel_type(universe: TypeUniverse, t: GoType) -> GoType | None:
    """What a channel of type t points to: runtime.hchan (runtime/chan.go), its ``buf`` pointing to the
    element type."""
    hchan = universe.struct("runtime.hchan")
    if hchan is None:
        return None
    made = _renamed(hchan, t.name, "chan")
    made.elem_ref = t.elem
    return made


#: Closures made by reflect: code pointer -> type of the object (reflect/makefunc.go).
_REFLECT_CLOSURES = {
    "reflect.makeFuncStub": "reflect.makeFuncImpl",
    "reflect.methodValueCall": "reflect.methodValue",
}


def closure_type(
    universe: TypeUniverse, name: str, pc: int, captured: Sequence[GoField] | None = None
) -> GoType:
    """The object behind a func value whose code starts at link address pc: code pointer, then captured
    variables.

    Captures come from DW_AT_go_closure_offset (Go 1.23 on), where that is missing from the code that makes
    the closure (``captured``); a method value ``x.M`` holds its receiver at +8.
    """
    special = universe.struct(_REFLECT_CLOSURES.get(name, ""))
    if special is not None:
        return special
    word = GoType("uintptr", "uintptr", 8)
    fields = [GoField("F", 0, word)]
    receiver = method_value_receiver(universe, name)
    if receiver is not None:
        fields.append(GoField("receiver", 8, receiver))
    elif captured is not None:
        fields += captured
    else:
        function = universe.descriptions.function_at(pc)
        variables = (
            {v.closure_offset: v for v in function.variables if v.closure_offset > 0} if function else {}
        )
        for offset in sorted(variables):
            variable = variables[offset]
            fields.append(GoField(variable.name.lstrip("&"), offset, universe.from_dwarf(variable.type)))
    end = max(f.offset + f.type.size for f in fields)
    return GoType(f"closure {name}", "struct", -(-end // 8) * 8, fields=fields, role="closure")


def method_value_receiver(universe: TypeUniverse, name: str) -> GoType | None:
    """Receiver type of the method value wrapper ``pkg.(*T).M-fm`` or ``pkg.T.M-fm``; None for other
    functions."""
    if not name.endswith("-fm"):
        return None
    owner = name[: -len("-fm")].rpartition(".")[0]
    package, star, rest = owner.partition(".(*")
    type_name = f"{package}.{rest.removesuffix(')')}" if star else owner
    t = universe.named(type_name)
    if t is None:
        return None
    return GoType(f"*{type_name}", "ptr", 8, elem_ref=t) if star else t
