"""Reads JSON documents, with care: what is wrong is said with its place, and nothing is silently changed.

Python's own parser does the work. Around it: UTF-8 is checked, depth is bounded before the parser recurses,
NaN is refused, duplicate keys are kept to be told, and numbers that neither 64 bits nor a float64 hold stay
marked. Imports ``model`` and the standard library only.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from goretain.model.errors import CorruptFile

#: How deep arrays and objects may stand in each other.
DEEPEST = 100
_BLANK = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
#: What matters for depth: strings, to be passed over, and brackets.
_NESTING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{]|[\]}]', re.DOTALL)
_CONSTANT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|(NaN|-?Infinity)', re.DOTALL)
_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\x00\x00\xfe\xff": "UTF-32"}


class Doubled(dict[str, Any]):
    """An object in which keys stood more than once; the last of them counts, as in encoding/json.

    Attributes:
        doubled: those keys.
    """

    doubled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Huge:
    """A number that no int64, uint64 or float64 holds; its text."""

    text: str


def decoded(raw: bytes, name: str) -> str:
    """The text of a file; a byte order mark of UTF-8 is dropped.

    Raises:
        CorruptFile: it is not UTF-8; says where.
    """
    for mark, encoding in _OTHER_ENCODINGS.items():
        if raw.startswith(mark):
            raise CorruptFile(name, 0, f"this is {encoding}", hint="convert it: iconv -t UTF-8")
    try:
        return raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise CorruptFile(
            name, wrong.start, f"the byte {raw[wrong.start]:#04x} is not UTF-8", hint="JSON is UTF-8 text"
        ) from None


def documents(
    raw: bytes,
    name: str,
    *,
    deepest: int = DEEPEST,
    doubled: bool = True,
    reading: Callable[[int, int], None] | None = None,
) -> Iterator[Any]:
    """The documents of a file: one, or many behind each other or a line each (NDJSON).

    Objects are dicts (``Doubled`` where keys were), numbers int, float or ``Huge``, and no string has lone
    surrogates: they are U+FFFD, as in Go.

    Args:
        raw: the file.
        name: for errors.
        deepest: levels of arrays and objects that are allowed.
        doubled: keys may stand more than once in an object.
        reading: called with characters read and all of them.

    Raises:
        CorruptFile: it is not JSON, with the line and column; or nothing is in it.
    """
    text = decoded(raw, name)
    _check_depth(text, name, deepest)
    at = _blank(text, 0)
    if at == len(text):
        raise CorruptFile(name, None, "there is no document in it", hint="give one JSON document or more")
    decoder = json.JSONDecoder(
        object_pairs_hook=_object,
        parse_int=_integer,
        parse_float=_real,
        parse_constant=lambda word: _refuse_constant(text, name, word, at),
    )
    while at < len(text):
        try:
            document, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as wrong:
            reason = f"{wrong.msg[0].lower()}{wrong.msg[1:]}"
            if wrong.pos >= len(text.rstrip()):
                reason = "the document ends too early"
            raise corrupt(text, name, wrong.pos, f"not JSON: {reason}") from None
        document = _without_surrogates(document) if "\\u" in text else document
        if not doubled:
            _refuse_doubled(document, name)
        yield document
        at = _blank(text, at)
        if reading is not None:
            reading(at, len(text))


def corrupt(text: str, name: str, at: int, reason: str, *, hint: str = "") -> CorruptFile:
    """The error of a place in a text, by line and column."""
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return CorruptFile(name, len(text[:at].encode()), f"line {line}, column {column}: {reason}", hint=hint)


def _blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _check_depth(text: str, name: str, deepest: int) -> None:
    """Refuse what the parser would recurse into too deeply."""
    depth = 0
    for found in _NESTING.finditer(text):
        opening = found[0]
        if opening in "[{":
            depth += 1
            if depth > deepest:
                raise corrupt(
                    text, name, found.start(), f"nested deeper than {deepest} levels", hint="flatten it"
                )
        elif opening in "]}":
            depth -= 1


def _refuse_constant(text: str, name: str, word: str, since: int) -> NoReturn:
    place = next((m.start(1) for m in _CONSTANT.finditer(text, since) if m[1] == word), since)
    raise corrupt(text, name, place, f"{word} is no JSON", hint="write null or a number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    marked = Doubled(plain)
    times = Counter(key for key, _ in pairs)
    marked.doubled = tuple(key for key, count in times.items() if count > 1)
    return marked


def _refuse_doubled(document: Any, name: str) -> None:
    pending = [(document, "#")]
    while pending:
        value, place = pending.pop()
        if isinstance(value, Doubled):
            raise CorruptFile(
                name, None, f"the key {value.doubled[0]!r} stands twice at {place}", hint="remove one of them"
            )
        if isinstance(value, dict):
            pending += [(inner, f"{place}/{key}") for key, inner in value.items()]
        elif isinstance(value, list):
            pending += [(inner, f"{place}/{n}") for n, inner in enumerate(value)]


def _integer(text: str) -> int | Huge:
    if len(text) <= 20 and -(1 << 63) <= (number := int(text)) < 1 << 64:
        return number
    return Huge(text)


def _real(text: str) -> float | Huge:
    number = float(text)
    return Huge(text) if math.isinf(number) else number


def _without_surrogates(value: Any) -> Any:
    """Lone surrogates become U+FFFD, in keys too; what is left doubled by that is told as such."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(one) for one in value]
    if isinstance(value, dict):
        made = _object([(_without_surrogates(k), _without_surrogates(v)) for k, v in value.items()])
        if isinstance(value, Doubled):
            made = Doubled(made)
            made.doubled = tuple(_without_surrogates(key) for key in value.doubled)
        return made
    return value
