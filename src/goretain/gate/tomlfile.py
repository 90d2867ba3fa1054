"""Reading TOML into structs, strictly: an error names file, line and key, and the keys that there are.

Imports ``model``, msgspec and the standard library.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from goretain.model.errors import UsageError

Struct = TypeVar("Struct", bound=msgspec.Struct)
#: Keys, and numbers of tables in a list: ["gate", "limit", 1, "bytes"].
Place = list[str | int]

#: ``Expected ... - at `$.gate.limit[1].bytes```, as msgspec says what is wrong and where.
_WRONG = re.compile(r"(?P<reason>.*?)(?: - at `\$(?P<place>[^`]*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_HEADER = re.compile(r"\s*(\[\[?)\s*([\w\s.\"'-]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*([\w.\"'\s-]+?)\s*=")
#: Words of msgspec in those of TOML.
_WORDS = (
    (r"Expected `float` >= 0.0", "a number of 0 or more is wanted"),
    (r"Expected `str` of length >= 1", "a text that is not empty is wanted"),
    (r"Expected `(\w+)(?: \| null)?`, got `(\w+)`", r"\1 is wanted, not \2"),
    (r"\b(?:float|int)\b", "a number"),
    (r"\bstr\b", "a text"),
    (r"\bbool\b", "true or false"),
    (r"\bobject\b", "a table"),
    (r"\barray\b", "a list"),
)


def read_strictly(
    path: Path, kind: type[Struct], convert: Callable[[type, object], object], hint: str
) -> Struct:
    """The struct that a file holds.

    Args:
        kind: with forbid_unknown_fields, and all structs in it.
        convert: makes values of types that msgspec does not know; ValueError says why it cannot.
        hint: of every error.

    Raises:
        UsageError: the file cannot be read, is no TOML, or does not fit.
    """
    try:
        text = path.read_bytes().decode("utf-8")
        values = tomllib.loads(text)
    except OSError as failed:
        raise UsageError(f"{path} cannot be read: {failed.strerror}", hint=hint) from None
    except UnicodeDecodeError as failed:
        raise UsageError(f"{path} is no UTF-8 text (byte {failed.start})", hint=hint) from None
    except tomllib.TOMLDecodeError as failed:
        raise UsageError(f"{path} is no TOML: {failed}", hint=hint) from None
    try:
        return msgspec.convert(values, kind, dec_hook=convert)
    except msgspec.ValidationError as wrong:
        raise _refused(path, text, kind, str(wrong), hint) from None


def _refused(path: Path, text: str, kind: type, wrong: str, hint: str) -> UsageError:
    """What msgspec says, with the line and the keys that there are."""
    found = _WRONG.fullmatch(wrong)
    assert found is not None  # it matches any text
    reason = found["reason"]
    place: Place = [name or int(number) for name, number in _STEP.findall(found["place"] or "")]
    table = place
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", reason, re.DOTALL):
        keys = _keys_at(kind, table)
        near = difflib.get_close_matches(unknown[1], keys, 1)
        reason = f"there is no key {unknown[1]!r}" + (f"; perhaps {near[0]!r} is meant" if near else "")
        hint = f"keys of {_title(table) or 'the file'} are {', '.join(keys)}; {hint}"
        place = [*table, unknown[1]]
    elif missing := re.fullmatch(r"Object missing required field `(.*)`", reason):
        reason = f"the key {missing[1]!r} is missing"
    else:
        for said, plain in _WORDS if reason.startswith("Expected") else ():
            reason = re.sub(said, plain, reason)
        if place and isinstance(place[-1], str):
            reason, table = f"{place[-1]}: {reason}", place[:-1]
    line = line_of(text, place)
    where = [f"{path} line {line}" if line else f"{path}", *([_title(table)] if table else [])]
    return UsageError(f"{', '.join(where)}: {reason}", hint=hint)


def _title(place: Sequence[str | int]) -> str:
    """``[[gate.known]]`` or ``[gate]``; "" of the file itself."""
    names = ".".join(step for step in place if isinstance(step, str))
    if not names:
        return ""
    return f"[[{names}]]" if isinstance(place[-1], int) else f"[{names}]"


def _keys_at(kind: Any, place: Sequence[str | int]) -> list[str]:
    """The keys of the table at a place of the file."""
    for step in place:
        if isinstance(step, str):
            kind = next(field.type for field in msgspec.structs.fields(kind) if field.name == step)
        else:
            kind = get_args(kind)[0]
    return sorted(kind.__struct_fields__)


def line_of(text: str, place: Sequence[str | int]) -> int | None:
    """The line, from 1, where a key of a TOML text stands, or the table that lacks it; None: not found."""
    best = None
    for number, at in _lines(text):
        if at == list(place):
            return number
        if at and at == list(place)[: len(at)]:
            best = number
    return best


def _lines(text: str) -> Iterator[tuple[int, Place]]:
    """(line, where it is) of every table and key that stands on a line of its own."""
    counts: dict[str, int] = {}
    table: Place = []
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            table = list(_names(header[2]))
            if header[1] == "[[":
                counts[header[2]] = counts.get(header[2], -1) + 1
                table.append(counts[header[2]])
            yield number, table
        elif key := _KEY.match(line):
            yield number, [*table, *_names(key[1])]


def _names(dotted: str) -> list[str]:
    return [part.strip(" \t\"'") for part in dotted.split(".")]
