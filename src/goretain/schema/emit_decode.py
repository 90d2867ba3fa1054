"""Writes how types are decoded: functions over the reader of ``support/document.go``, and UnmarshalJSON.

Imports this package.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from goretain.schema.gotext import comment, quoted, type_text
from goretain.schema.model import (
    ANY,
    Boxed,
    Declaration,
    Defined,
    Field,
    JsonKind,
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
    Variant,
    has_nil,
    kinds,
)

_METHODS: dict[Kind, str] = {
    "string": "text",
    "bool": "boolean",
    "int32": "integer32",
    "int64": "integer",
    "uint64": "natural",
    "float64": "float",
    "number": "number",
    "time": "moment",
    "any": "any",
}
_FAIL = "if err != nil {\nreturn v, err\n}\n"


def decoding(declared: Declaration, package: Package) -> str:
    """The decoding function of a type, and its UnmarshalJSON."""
    match declared:
        case Struct():
            body = _struct(declared)
        case Union():
            body = _union(declared, package)
        case Defined():
            body = f"v, err := {call(declared.type)}\nreturn {declared.name}(v), err\n"
    name = declared.name
    return (
        (_shapes(declared, package) if isinstance(declared, Union) else "")
        + comment("UnmarshalJSON decodes all of a value; what does not fit is a *DecodeError with its path.")
        + f"func (v *{name}) UnmarshalJSON(data []byte) error {{\n"
        + f"value, err := decodeBytes(data, decode{name})\n"
        + "if err == nil {\n*v = value\n}\nreturn err\n}\n\n"
        + f"func decode{name}(r *docReader) ({name}, error) {{\n{body}}}\n\n"
    )


def from_stream(name: str) -> str:
    """The function that decodes a document as it arrives."""
    return (
        comment(
            f"Decode{name} reads one document; no more of it is in memory at once than a buffer or a value."
        )
        + f"func Decode{name}(src io.Reader) ({name}, error) {{\n"
        + f"return decodeStream(src, decode{name})\n}}\n\n"
    )


def call(type: Type) -> str:
    """The call that reads a value of a type from ``r``."""
    match type:
        case Scalar(kind):
            return f"r.{_METHODS[kind]}()"
        case Ref(name):
            return f"decode{name}(r)"
        case Slice(element):
            return f"readSlice(r, {function(element)})"
        case Map(element):
            return f"readMap(r, {function(element)})"
        case Nullable(of) if of == ANY:
            return call(of)
        case Nullable(Slice() as of):
            return f"readNil(r, {function(of)})"
        case Nullable(Map() as of):
            return f"readNilMap(r, {function(of)})"
        case Nullable(of):
            return f"readPointer(r, {function(of)})"
        case Boxed(of):
            return f"readBoxed(r, {function(of)})"


def function(type: Type) -> str:
    """A Go expression for the function that reads a value of a type."""
    match type:
        case Scalar(kind):
            return f"(*docReader).{_METHODS[kind]}"
        case Ref(name):
            return f"decode{name}"
        case _:
            return f"func(r *docReader) ({type_text(type)}, error) {{\nreturn {call(type)}\n}}"


def optional(type: Type) -> str:
    """The call that reads a value to point at, or one that has a nil of its own."""
    return call(type) if has_nil(type) else call(Boxed(type))


def _value(field: Field) -> str:
    if not isinstance(field.constant, str):
        return call(field.type) if field.required else optional(field.type)
    constant = f"r.constant({quoted(field.constant)})"
    if field.required:
        return constant
    return f"readBoxed(r, func(r *docReader) (string, error) {{\nreturn {constant}\n}})"


def _struct(struct: Struct) -> str:
    required = [field.key for field in struct.fields if field.required]
    lines = [f"var v {struct.name}\nif err := r.object(); err != nil {{\nreturn v, err\n}}\n"]
    if required:
        lines.append(f"var seen [{len(required)}]bool\n")
    lines.append("for first := true; ; first = false {\nkey, goes, err := r.key(first)\n")
    lines.append(f"{_FAIL}if !goes {{\nbreak\n}}\n")
    if not struct.fields and struct.rest is None:
        return "".join([*lines, f"{_others(struct)}}}\nreturn v, nil\n"])
    lines.append("switch string(key) {\n")
    for field in struct.fields:
        key = quoted(field.key)
        lines.append(f"case {key}:\nr.enter({key})\nv.{field.name}, err = {_value(field)}\n")
        if field.required:
            lines.append(f"seen[{required.index(field.key)}] = true\n")
    lines.append(f"default:\n{_others(struct)}}}\n{_FAIL}r.leave()\n}}\n")
    if required:
        keys = ", ".join(map(quoted, required))
        lines.append(f"for i, key := range [...]string{{{keys}}} {{\n")
        lines.append("if !seen[i] {\nreturn v, r.missing(key)\n}\n}\n")
    return "".join([*lines, "return v, nil\n"])


def _others(struct: Struct) -> str:
    """What is done with a key that no field stands for."""
    if struct.rest is not None:
        element, name = type_text(struct.rest.element), struct.rest.name
        return (
            f"name := string(key)\nr.enter(name)\nvar value {element}\n"
            f"value, err = {call(struct.rest.element)}\n"
            f"if v.{name} == nil {{\nv.{name} = map[string]{element}{{}}\n}}\nv.{name}[name] = value\n"
        )
    if struct.closed:
        return "return v, r.unknown(string(key))\n"
    return "if err := r.skip(); err != nil {\nreturn v, err\n}\ncontinue\n"


def _union(union: Union, package: Package) -> str:
    by_kind: dict[JsonKind, list[Variant]] = {}
    for variant in union.variants:
        for kind in kinds(variant.type, package):
            if kind != "null":
                by_kind.setdefault(kind, []).append(variant)
    if any(variant.type == ANY for variant in union.variants):
        return (
            f"var v {union.name}\nvar err error\nv.{union.variants[0].name}, err = r.any()\nreturn v, err\n"
        )
    lines = [f"var v {union.name}\nvar err error\nswitch r.kind() {{\n"]
    for kind, variants in by_kind.items():
        lines.append(f"case {quoted(kind)}:\n")
        lines.append(_set(variants[0]) if len(variants) == 1 else _chosen(union.name, variants, package))
    if union.nullable:
        lines.append('case "null":\nerr = r.literal("null")\n')
    want = " or ".join([*by_kind, *(["null"] if union.nullable else [])])
    return "".join([*lines, f"default:\nerr = r.mismatch({quoted(want)})\n}}\nreturn v, err\n"])


def _set(variant: Variant) -> str:
    return f"v.{variant.name}, err = {optional(variant.type)}\n"


def _structs(variants: Sequence[Variant], package: Package) -> list[tuple[Variant, Struct]]:
    """The variants that are structs."""
    named = [(v, package.types[v.type.name]) for v in variants if isinstance(v.type, Ref)]
    return [(variant, target) for variant, target in named if isinstance(target, Struct)]


def _chosen(name: str, variants: list[Variant], package: Package) -> str:
    """Of several kinds of objects the one whose keys fit best; of a map all keys fit, but no better."""
    structs = _structs(variants, package)
    maps = [v for v in variants if all(v is not variant for variant, _ in structs)]
    lines = ["ahead, wrong := r.ahead()\nif wrong != nil {\nreturn v, wrong\n}\nprobe := *ahead\n"]
    lines.append(f"n, wrong := probe.choose(shapes{name})\nif wrong != nil {{\nreturn v, wrong\n}}\n")
    lines.append("r = ahead\nswitch n {\n")
    lines += [f"case {n}:\n{_set(variant)}" for n, (variant, _) in enumerate(structs)]
    if maps:
        lines.append(f"default:\n{_set(maps[0])}}}\n")
    else:
        names = " or ".join(target.name for _, target in structs)
        lines.append(f"default:\nerr = r.problem({quoted(f'its keys fit no {names}')})\n}}\n")
    return "".join(lines)


def _shapes(union: Union, package: Package) -> str:
    """What tells the objects of a union apart, "" where there is nothing to tell."""
    structs = _structs(union.variants, package)
    objects = [v for v in union.variants if "object" in kinds(v.type, package)]
    if not structs or len(objects) < 2:
        return ""
    shapes = "".join(f"{_shape(target, package)},\n" for _, target in structs)
    return f"var shapes{union.name} = []docShape{{\n{shapes}}}\n\n"


def _shape(struct: Struct, package: Package) -> str:
    known = ", ".join(f"{quoted(f.key)}: {quoted(_letters(f, package))}" for f in struct.fields)
    required = ", ".join(quoted(f.key) for f in struct.fields if f.required)
    constants = ", ".join(
        f"{quoted(f.key)}: {quoted(_constant(f.constant))}" for f in struct.fields if f.constant is not None
    )
    parts = [f"known: map[string]string{{{known}}}"]
    if required:
        parts.append(f"required: []string{{{required}}}")
    if constants:
        parts.append(f"constant: map[string]string{{{constants}}}")
    if struct.closed:
        parts.append("closed: true")
    return "{" + ", ".join(parts) + "}"


def _letters(field: Field, package: Package) -> str:
    """The kinds of a field's values as docShape writes them."""
    return "".join("z" if kind == "null" else kind[0] for kind in kinds(field.type, package))


def _constant(value: str | int) -> str:
    """A constant as docShape writes it."""
    return f'"{value}' if isinstance(value, str) else json.dumps(value)
