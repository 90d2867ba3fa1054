"""Which Go types a schema and samples become."""

from __future__ import annotations

import json
from typing import Any

import pytest

from goretain.schema.documents import documents
from goretain.schema.emit_types import declaration, field_type
from goretain.schema.examples import accepted
from goretain.schema.gotext import comment, quoted, tag, type_text
from goretain.schema.jsonschema import from_schema
from goretain.schema.model import Defined, Package, Struct, Union
from goretain.schema.naming import Names, exported, singular
from goretain.schema.rewrite import box_cycles, prune
from goretain.schema.samples import from_samples


def of_schema(schema: Any, **more: Any) -> Package:
    package = from_schema(schema, "a.json", "Root", **more)
    prune(package)
    box_cycles(package)
    return package


def of_samples(*values: Any) -> Package:
    raw = "\n".join(json.dumps(value) for value in values).encode()
    package = from_samples(documents(raw, "a.json"), "Root")
    prune(package)
    return package


def shown(package: Package, name: str = "Root") -> dict[str, str] | str:
    """Fields of a struct or union with their types and tags."""
    match package.types[name]:
        case Struct() as struct:
            tags = {f.key: f" {','.join(f.rules)}" if f.rules else "" for f in struct.fields}
            return {f.key: field_type(f) + tags[f.key] for f in struct.fields}
        case Union() as union:
            return {v.name: type_text(v.type) for v in union.variants}
        case Defined() as defined:
            return type_text(defined.type)


def field(schema: Any, *, required: bool = True) -> str:
    """The type and the tag of a field of one schema."""
    found = shown(of_schema({"properties": {"x": schema}, "required": ["x"] if required else []}))
    assert isinstance(found, dict)
    return found["x"]


@pytest.mark.parametrize(
    ("schema", "required", "optional"),
    [
        ({"type": "string"}, "string", "*string"),
        ({"minLength": 2, "maxLength": 9}, "string required,min=2,max=9", "*string omitempty,min=2,max=9"),
        ({"type": "string", "format": "date-time"}, "time.Time", "*time.Time"),
        ({"type": "string", "format": "email"}, "string email", "*string omitempty,email"),
        ({"type": ["string", "null"]}, "*string", "*string"),
        ({"type": "string", "nullable": True}, "*string", "*string"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "*string", "*string"),
        ({"enum": ["a", "b c", None]}, "*string omitempty,oneof=a 'b c'", "*string omitempty,oneof=a 'b c'"),
        ({"const": "it's"}, "string", "*string"),
        (
            {"type": "integer", "minimum": 0.5, "exclusiveMaximum": 10},
            "int64 required,gte=1,lt=10",
            "*int64 omitempty,gte=1,lt=10",
        ),
        ({"type": "integer", "minimum": 0, "maximum": 2**64 - 1}, "uint64 gte=0", "*uint64 omitempty,gte=0"),
        ({"type": "integer", "maximum": 2**70}, "json.Number", "*json.Number"),
        (
            {"type": "number", "minimum": 0, "exclusiveMinimum": True},
            "float64 required,gt=0",
            "*float64 omitempty,gt=0",
        ),
        ({"type": ["integer", "number"]}, "float64", "*float64"),
        (
            {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            "[]string required,min=1,dive,min=1",
            "[]string omitempty,min=1,dive,min=1",
        ),
        (
            {"type": "array", "items": [{"type": "integer"}, {"type": "number"}], "additionalItems": False},
            "[]float64 required",
            "[]float64",
        ),
        ({"type": "array"}, "[]json.RawMessage required", "[]json.RawMessage"),
        ({"type": ["array", "null"], "items": {"type": "boolean"}}, "[]bool", "[]bool"),
        ({"type": "object"}, "map[string]json.RawMessage required", "map[string]json.RawMessage"),
        ({"patternProperties": {"^a": {"type": "integer"}}}, "map[string]int64 required", "map[string]int64"),
        ({}, "json.RawMessage", "json.RawMessage"),
        (True, "json.RawMessage", "json.RawMessage"),
        ({"allOf": [{"type": ["integer", "string"]}, {"type": "number"}]}, "int64", "*int64"),
    ],
)
def test_values_of_a_schema(schema: Any, required: str, optional: str) -> None:
    assert field(schema) == required
    assert field(schema, required=False) == optional


def test_all_of_is_one_struct_and_one_of_is_a_union() -> None:
    base = {"properties": {"kind": {"type": "string"}}, "required": ["kind"]}
    circle = {"properties": {"kind": {"const": "circle"}, "r": {"type": "number"}}, "required": ["r"]}
    package = of_schema(
        {**base, "oneOf": [circle, {"title": "a box", "properties": {"w": {"type": "integer"}}}]}
    )
    assert shown(package) == {"RootCircle": "RootCircle", "RootABox": "RootABox"}
    assert shown(package, "RootCircle") == {"kind": "string oneof=circle", "r": "float64"}
    assert shown(package, "RootABox") == {"w": "*int64", "kind": "string"}
    merged = of_schema({"allOf": [base, circle]})
    assert shown(merged) == {"kind": "string oneof=circle", "r": "float64"}


def test_recursion_has_pointers_where_go_needs_them() -> None:
    node = {"properties": {"next": {"$ref": "#"}, "all": {"items": {"$ref": "#"}}}, "required": ["next"]}
    assert shown(of_schema(node)) == {"next": "*Root", "all": "[]Root omitempty,dive"}
    lists = {
        "$defs": {"l": {"type": "array", "items": {"$ref": "#/$defs/l"}}},
        "properties": {"a": {"$ref": "#/$defs/l"}},
    }
    package = of_schema(lists)
    assert shown(package, "L") == "[]L"


def test_what_types_do_not_say_is_noted() -> None:
    package = of_schema({"properties": {"a": {"type": "string", "not": {"const": "x"}}}, "if": {}})
    assert package.notes == ["not said by the Go types: #/if", "not said by the Go types: #/properties/a/not"]


def test_samples_decide_what_is_required_and_what_may_be_null() -> None:
    package = of_samples(
        {"id": 1, "at": "2026-01-02T03:04:05Z", "p": 1, "n": None, "t": [], "x": 1, "o": {}},
        {"id": 2**63, "at": "2026-01-02T03:04:05.5+01:00", "p": 1.5, "t": ["a", None], "x": "s", "o": {}},
    )
    assert shown(package) == {
        "id": "uint64",
        "at": "time.Time",
        "p": "float64",
        "n": "json.RawMessage",
        "t": "[]*string required",
        "x": "RootX",
        "o": "map[string]json.RawMessage required",
    }
    assert shown(package, "RootX") == {"Int": "int64", "String": "string"}


def test_keys_that_are_data_make_a_map_and_repeating_objects_one_type() -> None:
    ids = {str(n): {"v": n} for n in range(3)}
    assert shown(of_samples({"ids": ids})) == {"ids": "map[string]RootIDsValue required,dive"}
    many = {f"k{n}": n for n in range(101)}
    assert shown(of_samples(many)) == "map[string]int64"
    tree = {"v": 1, "sub": [{"v": 2, "sub": []}, {"v": 3, "sub": [{"v": 4, "sub": [], "last": True}]}]}
    package = of_samples(tree)
    assert list(package.types) == ["Root"]
    assert shown(package) == {"v": "int64", "sub": "[]Root required,dive", "last": "*bool"}
    deep: Any = 1
    for _ in range(90):
        deep = {"a": deep}
    assert list(of_samples(deep).types) == ["Root", "RootA"]


def test_keys_that_stand_twice_are_told_and_the_last_counts() -> None:
    package = from_samples(documents(b'[{"a": 1, "a": "x"}]', "a.json"), "Root")
    assert package.notes == ["the key 'a' stood twice in one object: the last one counts"]
    assert shown(package, "RootItem") == {"a": "string"}


@pytest.mark.parametrize("value", [1, "x", True, [1], [[]], {"1": 2}])
def test_a_document_that_is_no_object_is_a_named_type(value: Any) -> None:
    assert isinstance(of_samples(value).types["Root"], Defined)


@pytest.mark.parametrize("values", [(None,), (None, 1), (10**30,), ("2026-01-02T03:04:05Z",), (1, "x")])
def test_a_type_without_methods_of_its_own_stands_in_a_struct(values: tuple[Any, ...]) -> None:
    assert isinstance(of_samples(*values).types["Root"], Union)


def test_names_are_exported_and_no_two_alike() -> None:
    wanted = [
        "user_id",
        "userID",
        "type",
        "日本",
        "größe",
        "1st",
        "",
        "-",
        "HTTPServer",
        "MAX_SIZE",
        "v1_2",
        "\u0301",
    ]
    assert [exported(text) for text in wanted] == [
        "UserID",
        "UserID",
        "Type",
        "X日本",
        "Größe",
        "X1st",
        "Field",
        "Field",
        "HTTPServer",
        "MaxSize",
        "V1_2",
        "Field",
    ]
    names = Names(frozenset({"A"}))
    assert [names.take("A"), names.take("A"), names.take("B")] == ["A2", "A3", "B"]
    assert [singular(name) for name in ("Orders", "Boxes", "Entries", "Data", "Status")] == [
        "Order",
        "Box",
        "Entry",
        "DataItem",
        "StatusItem",
    ]


def test_any_text_is_a_literal_a_tag_and_a_comment() -> None:
    assert quoted('a"\\\n\x00é😀\u2028\ufeff') == '"a\\"\\\\\\n\\u0000é\\U0001f600\\u2028\\ufeff"'
    assert tag([("json", "a"), ("path", 'a["b"]')]) == '`json:"a" path:"a[\\"b\\"]"`'
    assert tag([("path", "`")]) == '"path:\\"`\\""'
    assert comment("+build x\n\x00*/\r//go:embed y\n\n") == "// (+build) x\n// */\n// //go:embed y\n"


def test_keys_that_no_tag_can_name_are_written_by_a_method() -> None:
    package = of_schema(
        {"properties": {"a,b": {"type": "string"}, "-": {"type": "string"}, "ok": {"type": "string"}}}
    )
    text = declaration(package.types["Root"])
    assert '`json:"-"`' in text
    assert 'w.field("a,b", v.AB)' in text
    assert "MarshalJSON" not in declaration(
        of_schema({"properties": {"ok": {"type": "string"}}}).types["Root"]
    )


def test_what_parts_of_an_all_of_say_of_elements_and_choices_holds_together() -> None:
    parts = [
        {"items": {"properties": {"a": {"type": "string"}}}},
        {"items": {"properties": {"a": {}, "b": {"type": "integer"}}}},
    ]
    package = of_schema({"allOf": parts})
    assert shown(package) == "[]RootItem"
    assert shown(package, "RootItem") == {"a": "*string", "b": "*int64"}
    choices = [{"properties": {"v": {"const": 1}}}, {"properties": {"v": {"const": 2}}}]
    base = {"allOf": [{"anyOf": choices}, {"anyOf": [{"properties": {"w": {}}}, {"type": "object"}]}]}
    package = of_schema({"$defs": {"base": base}, "allOf": [{"$ref": "#/$defs/base"}]})
    assert shown(package) == {"BaseOption1": "BaseOption1", "BaseOption2": "BaseOption2"}
    assert package.notes == ["not said by the Go types: #/$defs/base/allOf/1/anyOf"]
    first = package.types["BaseOption1"]
    assert isinstance(first, Struct)
    assert first.fields[0].constant == 1


def test_documents_for_the_tests_stay_small_however_types_refer_to_each_other() -> None:
    names = [f"t{n}" for n in range(12)]
    defs = {name: {"properties": {other: {"$ref": f"#/$defs/{other}"} for other in names}} for name in names}
    package = of_schema({"$defs": defs, "$ref": "#/$defs/t0"})
    assert max(map(len, accepted(package))) < 20_000


def test_a_type_beside_a_reference_is_that_of_its_target() -> None:
    package = of_schema(
        {
            "properties": {
                "a": {"type": "object", "$ref": "#", "markdownDescription": "x"},
                "b": {"type": "string"},
            }
        }
    )
    assert shown(package) == {"a": "*Root", "b": "*string"}
    assert list(package.types) == ["Root"]
