"""Writes types as Go: structs with their tags, unions, and MarshalJSON where tags cannot say what is due.

Tags cannot: keys that encoding/json does not take in a tag, optional arrays and maps (omitempty would drop an
empty one), keys that are kept. Imports this package.
"""

from __future__ import annotations

import re

from goretain.schema.gotext import comment, quoted, tag, type_text
from goretain.schema.model import Declaration, Defined, Field, Map, Slice, Struct, Type, Union, bare, has_nil

#: Keys that a json tag takes in every Go version.
_TAG_KEY = re.compile(r"(?!-$)[\w\-./:@$+#~%]+")


def declaration(declared: Declaration) -> str:
    """A type, with its MarshalJSON where it needs one."""
    match declared:
        case Struct():
            return _struct(declared) + (_marshal_struct(declared) if needs_marshal(declared) else "")
        case Union():
            return _union(declared) + _marshal_union(declared)
        case Defined():
            text = f"type {declared.name} {type_text(declared.type)}\n\n"
            return comment(declared.doc or f"{declared.name} is a whole value.") + text


def needs_marshal(struct: Struct) -> bool:
    """Whether encoding/json and the tags would not write what decoding read."""
    return struct.rest is not None or any(not in_tag(f.key) or drops_empty(f) for f in struct.fields)


def in_tag(key: str) -> bool:
    """Whether a json tag can name the key."""
    return _TAG_KEY.fullmatch(key) is not None


def drops_empty(field: Field) -> bool:
    """Whether omitempty would leave out an empty array or object that was there."""
    return not field.required and isinstance(bare(field.type), Slice | Map)


def field_type(field: Field) -> str:
    """The Go type of a field; an optional one is nil where the key was not there."""
    text = type_text(field.type)
    return text if field.required or has_nil(field.type) else f"*{text}"


def _struct(struct: Struct) -> str:
    lines = [comment(struct.doc or f"{struct.name} is an object."), f"type {struct.name} struct {{\n"]
    for field in struct.fields:
        named = in_tag(field.key)
        note = field.doc if named else f"The key {quoted(field.key)}. {field.doc}"
        pairs = [("json", _json_tag(field) if named else "-")]
        if field.rules:
            pairs.append(("validate", ",".join(field.rules)))
        lines.append(f"{comment(note)}{field.name} {field_type(field)} {tag(pairs)}\n")
    if struct.rest is not None:
        lines.append("\n" * bool(struct.fields) + comment("All other keys."))
        lines.append(
            f"{struct.rest.name} map[string]{type_text(struct.rest.element)} {tag([('json', '-')])}\n"
        )
    return "".join([*lines, "}\n\n"])


def _json_tag(field: Field) -> str:
    return field.key if field.required else f"{field.key},omitempty"


def _marshal_struct(struct: Struct) -> str:
    lines = [
        comment(f"MarshalJSON writes what UnmarshalJSON reads, and what no tag of {struct.name} could say."),
        f"func (v {struct.name}) MarshalJSON() ([]byte, error) {{\nvar w docWriter\n",
    ]
    for field in struct.fields:
        write = f"w.field({quoted(field.key)}, v.{field.name})\n"
        lines.append(write if field.required else f"if v.{field.name} != nil {{\n{write}}}\n")
    if struct.rest is not None:
        lines.append(f"writeRest(&w, v.{struct.rest.name})\n")
    return "".join([*lines, "return w.done()\n}\n\n"])


def variant_type(type: Type) -> str:
    """The Go type of a union's field: nil where the value is of another type."""
    return type_text(type) if has_nil(type) else f"*{type_text(type)}"


def _union(union: Union) -> str:
    null = " None is set where it is null." if union.nullable else ""
    lines = [
        comment(union.doc or f"{union.name} is one of several types: the field that is set.{null}"),
        f"type {union.name} struct {{\n",
    ]
    lines += [f"{v.name} {variant_type(v.type)} {tag([('json', '-')])}\n" for v in union.variants]
    return "".join([*lines, "}\n\n"])


def _marshal_union(union: Union) -> str:
    lines = [
        comment("MarshalJSON writes the value that is set."),
        f"func (v {union.name}) MarshalJSON() ([]byte, error) {{\n",
    ]
    lines += [f"if v.{v.name} != nil {{\nreturn json.Marshal(v.{v.name})\n}}\n" for v in union.variants]
    return "".join([*lines, 'return []byte("null"), nil\n}\n\n'])
