"""Text as Go source: literals, struct tags and comments, whatever stands in it. Imports ``schema.model``."""

from __future__ import annotations

import re
import textwrap

from goretain.schema.model import Boxed, Map, Nullable, Ref, Scalar, Slice, Type, has_nil

_SCALARS = {
    "string": "string",
    "bool": "bool",
    "int32": "int32",
    "int64": "int64",
    "uint64": "uint64",
    "float64": "float64",
    "number": "json.Number",
    "time": "time.Time",
    "any": "json.RawMessage",
}
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def quoted(text: str) -> str:
    """A Go string literal; text has no lone surrogates."""
    return '"' + "".join(_escaped(ch) for ch in text) + '"'


def _escaped(ch: str) -> str:
    if ch in _ESCAPES:
        return _ESCAPES[ch]
    if ch.isprintable() and (ch.isascii() or ch.isalnum()):
        return ch
    return f"\\u{ord(ch):04x}" if ord(ch) < 0x10000 else f"\\U{ord(ch):08x}"


def tag(pairs: list[tuple[str, str]]) -> str:
    """A struct tag: ``(("json", "a"),)`` -> `` `json:"a"` ``."""
    text = " ".join(f"{key}:{quoted(value)}" for key, value in pairs)
    return f"`{text}`" if "`" not in text else quoted(text)


def comment(text: str) -> str:
    """Lines of comment, "" for nothing; no line is a directive to the compiler or a build constraint."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        shown = "".join(ch if ch.isprintable() else " " for ch in paragraph).strip()
        lines += textwrap.wrap(shown, 100, break_long_words=False, break_on_hyphens=False) or [""]
    while lines and not lines[-1]:
        lines.pop()
    return "".join(f"// {_harmless(line)}".rstrip() + "\n" for line in lines)


def _harmless(line: str) -> str:
    return re.sub(r"^(\+build|go:|line |export )", r"(\1)", line)


def type_text(type: Type) -> str:
    """A type as Go writes it."""
    match type:
        case Scalar(kind):
            return _SCALARS[kind]
        case Slice(element):
            return f"[]{type_text(element)}"
        case Map(element):
            return f"map[string]{type_text(element)}"
        case Ref(name):
            return name
        case Nullable(of):
            return type_text(of) if has_nil(of) else f"*{type_text(of)}"
        case Boxed(of):
            return f"*{type_text(of)}"
