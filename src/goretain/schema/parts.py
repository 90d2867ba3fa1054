"""JSON Schema before it becomes types: places, references, and the parts that hold for one value together.

What ``allOf`` and ``$ref`` beside other words say holds all at once, so that the schema of a value is a list
of parts, each with its place. Drafts 4 to 2020-12 are read alike. Imports ``model`` and ``naming``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import unquote

from goretain.model.errors import UnusableSchema
from goretain.schema.naming import exported

#: Words that say nothing about the value.
ANNOTATIONS = frozenset(
    [
        "$schema",
        "$id",
        "id",
        "$comment",
        "$defs",
        "definitions",
        "$anchor",
        "title",
        "description",
        "default",
        "examples",
        "example",
        "deprecated",
        "readOnly",
        "writeOnly",
    ]
)
#: Words that, beside a reference, say more of the value than the reference does; others are somebody's own.
_MORE = frozenset(
    (
        "enum",
        "const",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "properties",
        "patternProperties",
        "additionalProperties",
        "required",
        "items",
        "prefixItems",
        "additionalItems",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
    )
)
#: Words that Go types do not express.
UNSAID = (
    "if",
    "not",
    "dependentSchemas",
    "dependentRequired",
    "dependencies",
    "contains",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
    "$dynamicRef",
    "$recursiveRef",
)
TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")


@dataclass(frozen=True, slots=True)
class Part:
    """A schema and where it stands; ``True`` and ``False`` are schemas too."""

    schema: dict[str, Any]
    place: str

    def at(self, *steps: str | int) -> str:
        """The place of something in it."""
        return self.place + "".join(f"/{str(s).replace('~', '~0').replace('/', '~1')}" for s in steps)


class Source:
    """The document that a schema stands in."""

    def __init__(self, document: Any, name: str) -> None:
        self.name = name
        self._document = document
        self._anchors: dict[str, str] | None = None

    def fail(self, place: str, reason: str, *, hint: str = "") -> NoReturn:
        """Raise the error of a place."""
        raise UnusableSchema(self.name, place, reason, hint=hint)

    def part(self, schema: Any, place: str) -> Part:
        """A schema in the document; ``true`` is an empty one, ``false`` the one that allows nothing."""
        if isinstance(schema, bool):
            return Part({} if schema else {"not": {}}, place)
        if not isinstance(schema, dict):
            self.fail(place, f"a schema is an object, true or false, not {shown(schema)}")
        return Part(schema, place)

    def word(self, part: Part, word: str, kind: type | tuple[type, ...], what: str) -> Any:
        """The value of a word, None where it is not there; it must be of a kind."""
        value = part.schema.get(word)
        if value is not None and (
            not isinstance(value, kind) or (isinstance(value, bool) and kind in (int, (int, float)))
        ):
            self.fail(part.at(word), f"{what} is due here, not {shown(value)}")
        return value

    def target(self, part: Part) -> Part:
        """What a ``$ref`` leads to."""
        ref = self.word(part, "$ref", str, "a reference")
        place = part.at("$ref")
        if not ref.startswith("#"):
            own = (
                self._document.get("$id", self._document.get("id")) if isinstance(self._document, dict) else 0
            )
            base, _, fragment = ref.partition("#")
            if base != own:
                self.fail(
                    place,
                    f"{shown(ref)} is in another document",
                    hint="bring all schemas into one document, under $defs",
                )
            ref = f"#{fragment}"
        pointer = unquote(ref[1:])
        if pointer and not pointer.startswith("/"):
            pointer = self._anchored(pointer, place)
        return self.part(self._follow(pointer, place), f"#{pointer}")

    def _follow(self, pointer: str, place: str) -> Any:
        here: Any = self._document
        for step in pointer.split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(here, dict) and step in here:
                here = here[step]
            elif isinstance(here, list) and step.isdecimal() and int(step[:9]) < len(here):
                here = here[int(step[:9])]
            else:
                self.fail(place, f"nothing stands at #{pointer}", hint=f"there is no {shown(step)}")
        return here

    def _anchored(self, anchor: str, place: str) -> str:
        if self._anchors is None:
            self._anchors = dict(_anchors(self._document, ""))
        if anchor not in self._anchors:
            self.fail(place, f"there is no $anchor {shown(anchor)}")
        return self._anchors[anchor]


def _anchors(document: Any, place: str) -> Iterator[tuple[str, str]]:
    stack, seen = [(document, place)], set[int]()
    while stack:
        value, place = stack.pop()
        if id(value) in seen:  # of YAML aliases
            continue
        if isinstance(value, dict):
            seen.add(id(value))
            if isinstance(value.get("$anchor"), str):
                yield value["$anchor"], place
            stack += [(v, Part(value, place).at(k)) for k, v in value.items()]
        elif isinstance(value, list):
            seen.add(id(value))
            stack += [(v, f"{place}/{i}") for i, v in enumerate(value)]


def only_reference(part: Part) -> bool:
    """Whether a schema is a reference and nothing else; a type beside it only repeats that of its target."""
    return "$ref" in part.schema and not part.schema.keys() & _MORE


def expand(source: Source, parts: Iterable[Part]) -> list[Part]:
    """All parts that hold for a value: references and ``allOf`` followed, each place once.

    Raises:
        UnusableSchema: a reference or an allOf leads back to itself.
    """
    found: dict[str, Part] = {}
    pending: list[tuple[Part, tuple[str, ...]]] = [(part, ()) for part in reversed(list(parts))]
    while pending:
        part, way = pending.pop()
        if part.place in way:
            source.fail(part.place, "this leads back to itself", hint="an object or array must stand between")
        if part.place in found:
            continue
        found[part.place] = part
        inner = []
        if "$ref" in part.schema:
            inner.append(source.target(part))
        members = source.word(part, "allOf", list, "a list of schemas") or []
        inner += [source.part(s, part.at("allOf", i)) for i, s in enumerate(members)]
        pending += [(one, (*way, part.place)) for one in reversed(inner)]
    return list(found.values())


def called(part: Part) -> str:
    """What to call a member of a oneOf: its title, or the constant that tells it apart; "" for neither."""
    title = part.schema.get("title")
    if isinstance(title, str) and len(title) <= 40:
        return exported(title, "")
    properties = part.schema.get("properties")
    for schema in properties.values() if isinstance(properties, dict) else ():
        constant = schema.get("const") if isinstance(schema, dict) else None
        if isinstance(constant, str) and len(constant) <= 40:
            return exported(constant, "")
    return ""


def alone(source: Source, parts: Iterable[Part]) -> Part | None:
    """The only member of an allOf that stands beside nothing else."""
    several = list(parts)
    if len(several) != 1 or several[0].schema.keys() - ANNOTATIONS - {"nullable"} != {"allOf"}:
        return None
    members = source.word(several[0], "allOf", list, "a list of schemas")
    return source.part(members[0], several[0].at("allOf", 0)) if len(members) == 1 else None


def shown(value: Any) -> str:
    """A value in an error, not too long."""
    text = repr(value) if isinstance(value, str) else type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}..."
