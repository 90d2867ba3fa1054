"""Go names for keys and types: exported, valid in every Go version, and no two alike.

Letters beyond ASCII are kept where Unicode 3.2 knew them, since every Go agrees on those. Imports ``model``
and the standard library only.
"""

from __future__ import annotations

import re
import unicodedata

from goretain.model.errors import UsageError

#: Words that Go code writes in capitals (https://go.dev/wiki/CodeReviewComments#initialisms).
_INITIALISMS = frozenset(
    [
        "acl",
        "api",
        "ascii",
        "cpu",
        "css",
        "dns",
        "eof",
        "guid",
        "html",
        "http",
        "https",
        "id",
        "ip",
        "json",
        "lhs",
        "qps",
        "ram",
        "rhs",
        "rpc",
        "sla",
        "smtp",
        "sql",
        "ssh",
        "tcp",
        "tls",
        "ttl",
        "udp",
        "ui",
        "uid",
        "uuid",
        "uri",
        "url",
        "utf8",
        "vm",
        "xml",
        "xmpp",
        "xsrf",
        "xss",
    ]
)
KEYWORDS = frozenset(
    [
        "break",
        "case",
        "chan",
        "const",
        "continue",
        "default",
        "defer",
        "else",
        "fallthrough",
        "for",
        "func",
        "go",
        "goto",
        "if",
        "import",
        "interface",
        "map",
        "package",
        "range",
        "return",
        "select",
        "struct",
        "switch",
        "type",
        "var",
    ]
)
#: Names of the package that generated code declares whatever the types are.
RESERVED = frozenset({"DecodeError"})
#: Names that a struct's methods have, or may have.
METHODS = frozenset({"UnmarshalJSON", "MarshalJSON"})
#: A name that is longer is cut to its last words.
_LONGEST = 60
_TYPE = re.compile(r"[A-Z][A-Za-z0-9_]{0,99}")
_PACKAGE = re.compile(r"[a-z][a-z0-9_]{0,59}")


class Names:
    """Names of one scope; ``taken`` are those that it has already."""

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        self._taken = set(taken)

    def take(self, wanted: str) -> str:
        """``wanted``, or with the first number behind it that makes it new."""
        name, number = wanted, 2
        while name in self._taken:
            name, number = f"{wanted}{number}", number + 1
        self._taken.add(name)
        return name


def exported(text: str, fallback: str = "Field") -> str:
    """``user_id`` -> ``UserID``: an exported Go name for any text."""
    words = [_cased(word) for word in _words(text)]
    name = _joined(words)[:_LONGEST]
    if not name:
        return fallback
    return name if _may_begin(name[0]) else f"X{name}"


def inner(owner: str, part: str) -> str:
    """``Order`` and ``items`` -> ``OrderItems``, for a type inside another; if too long, the part's alone."""
    name = owner + exported(part)
    if len(name) <= _LONGEST:
        return name
    return exported(part)


def singular(name: str) -> str:
    """A name for one of several: ``Orders`` -> ``Order``; without a plural's end ``DataItem``."""
    for end, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("s", "")):
        if name.endswith(end) and not name.endswith(("ss", "us", "is")) and len(name) > len(end) + 1:
            return name[: -len(end)] + instead
    return f"{name}Item"


def check_type(name: str) -> str:
    """The name for the root type, as the user gave it.

    Raises:
        UsageError: it is no exported Go name.
    """
    if not _TYPE.fullmatch(name) or name in RESERVED:
        raise UsageError(
            f"{name!r} cannot be the name of the type",
            hint="give an exported Go name in ASCII, such as --type Order",
        )
    return name


def check_package(name: str) -> str:
    """The name for the package, as the user gave it.

    Raises:
        UsageError: it is no name of a package.
    """
    if not _PACKAGE.fullmatch(name) or name in KEYWORDS or name.endswith("_test"):
        raise UsageError(
            f"{name!r} cannot be the name of a package",
            hint="give a short name in lower case, such as --package orders",
        )
    return name


def _words(text: str) -> list[str]:
    """Split at what is no letter or digit, and where a capital follows a small letter."""
    kept = "".join(ch if _may_stand(ch) else " " for ch in text)
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", kept)
    return spaced.split()


def _cased(word: str) -> str:
    if word.lower() in _INITIALISMS:
        return word.upper()
    if word[-1] == "s" and word[:-1].lower() in _INITIALISMS:
        return f"{word[:-1].upper()}s"
    if word.isupper() and len(word) > 1 and word.isascii():
        return word[0] + word[1:].lower()
    first = word[0].upper()
    return (first if all(_may_stand(ch) for ch in first) else word[0]) + word[1:]


def _joined(words: list[str]) -> str:
    """Words in one; two numbers side by side stay apart."""
    name = ""
    for word in words:
        name += f"_{word}" if name and name[-1].isdigit() and word[0].isdigit() else word
    return name


def _may_begin(ch: str) -> bool:
    return unicodedata.ucd_3_2_0.category(ch) == "Lu"


def _may_stand(ch: str) -> bool:
    category = unicodedata.ucd_3_2_0.category(ch)
    return (category[0] == "L" and category != "Lm") or category == "Nd"
