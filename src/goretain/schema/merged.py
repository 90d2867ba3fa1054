"""What all parts of a schema say of one value, in one place: the basis for its type.

Imports ``parts``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from goretain.schema.parts import ANNOTATIONS, TYPES, UNSAID, Part, Source, expand, shown

#: Words that make a schema one of values of a kind, where it does not name a type.
_HINTS = {
    "properties": "object",
    "patternProperties": "object",
    "additionalProperties": "object",
    "required": "object",
    "items": "array",
    "prefixItems": "array",
    "minItems": "array",
    "maxItems": "array",
    "minLength": "string",
    "maxLength": "string",
    "pattern": "string",
    "minimum": "number",
    "maximum": "number",
    "exclusiveMinimum": "number",
    "exclusiveMaximum": "number",
    "multipleOf": "number",
}
_LIMITS = [
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
]
_STRUCTURE = frozenset({"type", "enum", "const", "$ref", "allOf", "anyOf", "oneOf", *_HINTS}) - {"required"}


@dataclass(slots=True)
class Merged:
    """All parts of one value.

    Attributes:
        place: of the first part.
        types: those that all parts allow; None where no part names one.
        values: those that enum and const allow; None for any.
        properties: key -> parts of its value.
        required: keys that must be there.
        others: parts for keys that ``properties`` does not name, from patterns or for all others.
        closed: no other keys are allowed.
        items: parts that hold for every element; prefix: those for the first ones, by place.
        limits: words for the validate tag.
        doc: its description.
        nullable: as OpenAPI says it.
        inside: rules for elements of an array or map, when their type is made.
    """

    place: str
    types: list[str] | None = None
    values: list[Any] | None = None
    properties: dict[str, tuple[Part, ...]] = field(default_factory=dict)
    required: dict[str, None] = field(default_factory=dict)
    others: list[Part] = field(default_factory=list)
    closed: bool = False
    items: list[Part] = field(default_factory=list)
    prefix: list[Part] = field(default_factory=list)
    limits: dict[str, Any] = field(default_factory=dict)
    doc: str = ""
    nullable: bool = False
    inside: tuple[str, ...] = ()

    def allowed(self) -> list[str]:
        """Types of the value, from hints where none is named; [] for any."""
        if self.types is not None:
            return self.types
        if self.properties or self.required or self.others or self.closed:
            return ["object"]
        if self.items or self.prefix:
            return ["array"]
        return list(dict.fromkeys(_HINTS[word] for word in self.limits if word in _HINTS))


def merge(source: Source, parts: list[Part]) -> Merged:
    """Merge expanded parts.

    Raises:
        UnusableSchema: a word has a value that it cannot have, or nothing fits all parts.
    """
    whole = Merged(parts[0].place)
    for part in parts:
        _types(source, part, whole)
        _values(source, part, whole)
        _object(source, part, whole)
        _array(source, part, whole)
        for word in _LIMITS:
            if word in part.schema:
                whole.limits.setdefault(word, part.schema[word])
        text = part.schema.get("description")
        whole.doc = whole.doc or (text if isinstance(text, str) else "")
        whole.nullable = whole.nullable or part.schema.get("nullable") is True
    return whole


def alternatives(source: Source, parts: list[Part]) -> tuple[list[Part], list[Part], list[str]]:
    """The first oneOf or anyOf whose members say what the value is, the parts beside it, and places unsaid.

    A group that only demands keys (``anyOf: [{required: [a]}, {required: [b]}]``) makes no types.
    """
    chosen: list[Part] = []
    beside: list[Part] = []
    unsaid: list[str] = []
    for part in parts:
        unsaid += [part.at(word) for word in UNSAID if word in part.schema and part.schema != {"not": {}}]
        # what these lead to is among the parts already
        rest = {key: value for key, value in part.schema.items() if key not in ("$ref", "allOf")}
        for word in ("oneOf", "anyOf"):
            members = source.word(part, word, list, "a list of schemas")
            if members is None:
                continue
            group = [source.part(schema, part.at(word, i)) for i, schema in enumerate(members)]
            rest = {key: value for key, value in rest.items() if key != word}
            if not chosen and any(_says_what(source, one) for one in group):
                chosen = group
            else:
                unsaid.append(part.at(word))
        beside.append(Part(rest, part.place))
    return chosen, beside, unsaid


def says_more_than_type(parts: list[Part]) -> bool:
    """Whether parts beside a oneOf say more of the value than its type."""
    words = {word for part in parts for word in part.schema} - ANNOTATIONS - {"$ref", "allOf", "type"}
    return bool(words & (_STRUCTURE | {"required"}))


def _says_what(source: Source, part: Part) -> bool:
    return any(one.schema.keys() & _STRUCTURE for one in expand(source, [part]))


def _types(source: Source, part: Part, whole: Merged) -> None:
    named = source.word(part, "type", (str, list), "the name of a type or a list of them")
    if named is None:
        return
    several = [named] if isinstance(named, str) else named
    for one in several:
        if one not in TYPES:
            source.fail(part.at("type"), f"{shown(one)} is no type", hint=f"there are {', '.join(TYPES)}")
    if whole.types is None:
        whole.types = list(dict.fromkeys(several))
        return
    both = [one for one in whole.types if one in several or (one == "integer" and "number" in several)]
    if "number" in whole.types and "integer" in several:
        both.append("integer")
    if not both:
        source.fail(
            part.at("type"),
            f"no value is of type {' or '.join(several)} and {' or '.join(whole.types)}",
            hint="the schemas of an allOf must fit together",
        )
    whole.types = both


def _values(source: Source, part: Part, whole: Merged) -> None:
    values = source.word(part, "enum", list, "a list of values")
    if "const" in part.schema:
        values = [part.schema["const"]]
    if values is None:
        return
    if not values:
        source.fail(part.at("enum"), "no value is allowed")
    known = whole.values
    whole.values = values if known is None else [one for one in values if one in known] or known


def _object(source: Source, part: Part, whole: Merged) -> None:
    properties = source.word(part, "properties", dict, "an object of schemas") or {}
    for key, schema in properties.items():
        if schema is not False:
            one = source.part(schema, part.at("properties", key))
            whole.properties[key] = (*whole.properties.get(key, ()), one)
    required = source.word(part, "required", list, "a list of keys")
    for key in required or ():
        if not isinstance(key, str):
            source.fail(part.at("required"), f"a key is a string, not {shown(key)}")
        whole.required[key] = None
    patterns = source.word(part, "patternProperties", dict, "an object of schemas") or {}
    whole.others += [source.part(s, part.at("patternProperties", p)) for p, s in patterns.items()]
    others = source.word(part, "additionalProperties", (dict, bool), "a schema")
    if others is False:
        whole.closed = True
    elif others is not None and others is not True and others != {}:
        whole.others.append(source.part(others, part.at("additionalProperties")))


def _array(source: Source, part: Part, whole: Merged) -> None:
    prefix = source.word(part, "prefixItems", list, "a list of schemas") or []
    whole.prefix += [source.part(schema, part.at("prefixItems", i)) for i, schema in enumerate(prefix)]
    items = source.word(part, "items", (dict, bool, list), "a schema")
    if isinstance(items, list):  # until draft 2019-09: the schemas of the first elements
        whole.prefix += [source.part(schema, part.at("items", i)) for i, schema in enumerate(items)]
        items = source.word(part, "additionalItems", (dict, bool), "a schema")
        if items not in (None, False):
            whole.prefix.append(source.part(items, part.at("additionalItems")))
    elif items is True or (isinstance(items, dict)):
        whole.items.append(source.part(items, part.at("items")))
    elif items is None and prefix:
        whole.prefix.append(Part({}, part.at("prefixItems")))
