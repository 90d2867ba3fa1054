"""Schemas and samples that cannot be used: an error that names the place; those that can, with care."""

from __future__ import annotations

from typing import Any

import pytest

from goretain.model.errors import CorruptFile, GoretainError, UnusableSchema
from goretain.schema import read_schema
from goretain.schema.documents import Huge, documents
from goretain.schema.jsonschema import from_schema


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "there is no document in it"),
        (b' \n{"a": tru}', "line 2, column 7: not JSON: expecting value"),
        (b'{"a": [1, 2', "line 1, column 12: not JSON: the document ends too early"),
        (b'{"a": "b', "not JSON: unterminated string"),
        (b'{"NaN": "NaN", "a": NaN}', "line 1, column 21: NaN is no JSON"),
        (b"[1] [-Infinity]", "line 1, column 6: -Infinity is no JSON"),
        (b'{"a": "\xff"}', "at offset 0x7: the byte 0xff is not UTF-8"),
        (b"\xff\xfe{\x00", "this is UTF-16"),
        (b"[" * 101, "line 1, column 101: nested deeper than 100 levels"),
        (b'{"a":' * 100_000, "nested deeper than 100 levels"),
    ],
)
def test_a_document_that_cannot_be_read_is_refused_by_its_place(raw: bytes, message: str) -> None:
    with pytest.raises(CorruptFile) as wrong:
        list(documents(raw, "a.json"))
    assert message in wrong.value.message


def test_documents_stand_behind_each_other_or_a_line_each() -> None:
    assert list(documents(b'\xef\xbb\xbf{"a": 1}\n{"a": 2}\r\n[3] 4', "a")) == [{"a": 1}, {"a": 2}, [3], 4]


def test_numbers_that_nothing_holds_keep_their_text_and_half_characters_are_replaced() -> None:
    huge = "9" * 5000
    (found,) = documents(f'[{huge}, 1e400, 18446744073709551615, "\\ud800", {{"\\udfff": 1}}]'.encode(), "a")
    assert found == [Huge(huge), Huge("1e400"), 2**64 - 1, "\ufffd", {"\ufffd": 1}]


#: Ten aliases of one anchor: eight such lists stand for a hundred million values.
_TEN = f"[{', '.join(['*a'] * 10)}]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3, column 1: the key 'a' stands here a second time"),
        ("a: [1\n", "line 2, column 1: not YAML"),
        ("? [1]\n: 2\n", "line 1, column 3: a key is a word"),
        ("&a {properties: {x: *a}}", "nested deeper than 200 levels"),
        ("{a: " * 300 + "1" + "}" * 300, "nested deeper than 200 levels"),
        ("--- 1\n--- 2\n", "line 2, column 1: not YAML"),
        ("# nothing\n", "there is no document in it"),
        (
            "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} {_TEN.replace('a', f'a{n - 1}')}\n" for n in range(1, 9)),
            "never end",
        ),
    ],
)
def test_yaml_that_cannot_be_read_is_refused_by_its_place(text: str, message: str) -> None:
    with pytest.raises(CorruptFile) as wrong:
        read_schema(text.encode(), "a.yaml")
    assert message in wrong.value.message


def test_yaml_says_what_json_would() -> None:
    text = (
        "enum: [no, on, 1_0, 0x1, 2026-01-02, 1.5, 1e3, ~, null, true, '1', 123456789012345678901]\n404: {}\n"
    )
    assert read_schema(text.encode(), "a.yml") == {
        "enum": [
            *("no", "on", "1_0", "0x1", "2026-01-02"),
            *(1.5, 1000.0, None, None, True, "1", Huge("123456789012345678901")),
        ],
        "404": {},
    }


def test_a_schema_with_a_key_twice_or_two_documents_is_refused() -> None:
    with pytest.raises(CorruptFile, match="the key 'type' stands twice at #/items"):
        read_schema(b'{"items": {"type": "string", "type": "null"}}', "a.json")
    with pytest.raises(GoretainError, match="holds 2 documents"):
        read_schema(b"{} {}", "a.json")


_TO_A = {"$ref": "#/$defs/a"}
_BACK = "leads back to itself"


@pytest.mark.parametrize(
    ("schema", "place", "reason"),
    [
        (3, "#", "a schema is an object"),
        ({"type": "strin"}, "#/type", "'strin' is no type"),
        ({"type": [["string"]]}, "#/type", "list is no type"),
        ({"properties": []}, "#/properties", "an object of schemas"),
        ({"properties": {"a/b~": 3}}, "#/properties/a~1b~0", "a schema is an object"),
        ({"required": True}, "#/required", "a list of keys"),
        ({"required": [1]}, "#/required", "a key is a string"),
        ({"enum": []}, "#/enum", "no value is allowed"),
        ({"items": 1}, "#/items", "a schema is due"),
        ({"properties": {"a": {"$ref": 1}}}, "#/properties/a/$ref", "a reference is due"),
        ({"properties": {"a": {"$ref": "b.json#/x"}}}, "#/properties/a/$ref", "in another document"),
        ({"items": {"$ref": "#/$defs/x"}}, "#/items/$ref", "nothing stands at #/$defs/x"),
        ({"items": {"$ref": "#here"}}, "#/items/$ref", "no $anchor 'here'"),
        ({"$ref": "#"}, "#", _BACK),
        ({**_TO_A, "$defs": {"a": {"$ref": "#/$defs/b"}, "b": _TO_A}}, "#/$defs/a", _BACK),
        (
            {"items": _TO_A, "$defs": {"a": {"anyOf": [_TO_A, {"type": "null"}]}}},
            "#/$defs/a/anyOf/0/$ref",
            _BACK,
        ),
        ({"allOf": [{"type": "string"}, {"allOf": [{"$ref": "#"}]}]}, "#", _BACK),
        ({"allOf": [{"type": "string"}, {"type": "object"}]}, "#/allOf/1/type", "of type object and string"),
        ({"oneOf": {}}, "#/oneOf", "a list of schemas"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_by_its_place(schema: Any, place: str, reason: str) -> None:
    with pytest.raises(UnusableSchema) as wrong:
        from_schema(schema, "a.json", "Root")
    assert wrong.value.place == place
    assert reason in wrong.value.message


def test_a_schema_without_end_is_refused() -> None:
    deep: Any = {"type": "string"}
    for _ in range(80):
        deep = {"properties": {"a": deep}}
    with pytest.raises(UnusableSchema, match="nested too deeply"):
        from_schema(deep, "a.json", "Root")
    wide = {f"a{n}": {"properties": {k: {"$ref": f"#/$defs/a{n + 1}"} for k in "xy"}} for n in range(40)}
    package = from_schema({"$ref": "#/$defs/a0", "$defs": {**wide, "a40": {}}}, "a.json", "Root")
    assert len(package.types) == 40  # what is referred to twice is one type
    everything: Any = {"properties": {str(n): {} for n in range(20_001)}}
    with pytest.raises(UnusableSchema, match="more than 20,000 values"):
        from_schema(everything, "a.json", "Root")
