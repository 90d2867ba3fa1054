"""What was seen at each place of sample documents, and the folding of what repeats itself inside.

Imports ``documents`` of this package.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from goretain.schema.documents import Doubled, Huge

#: Times that Go prints as they stand here: no trailing zeros, Z for UTC.
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{0,8}[1-9])?(?:Z|[+-](?!00:00)(?:0\d|1\d|2[0-3]):[0-5]\d)"
)


class Shape:
    """The objects that stood at a place.

    Attributes:
        objects: how many.
        fields, counts: by key, in the order of their appearance: what stood there, and in how many objects.
        into: the shape that this one has become part of.
    """

    __slots__ = ("counts", "fields", "into", "objects")

    def __init__(self) -> None:
        self.into: Shape | None = None
        self.objects = 0
        self.fields: dict[str, Seen] = {}
        self.counts: dict[str, int] = {}


class Seen:
    """Everything that stood at one place.

    Attributes:
        null, boolean, floats, integers, huge: whether there was one; huge: numbers that keep their text.
        low, high: of the whole numbers.
        strings, times: how many, and how many of them are times.
        items: what stood in arrays; values: in objects whose keys are data; shape: in others.
        doubled: keys that stood more than once in one object (of the root only).
    """

    __slots__ = (
        "_shape",
        "boolean",
        "doubled",
        "floats",
        "high",
        "huge",
        "integers",
        "items",
        "low",
        "null",
        "strings",
        "times",
        "values",
    )

    def __init__(self) -> None:
        self.null = self.boolean = self.floats = self.integers = self.huge = False
        self.low = self.high = self.strings = self.times = 0
        self.items: Seen | None = None
        self.values: Seen | None = None
        self._shape: Shape | None = None
        self.doubled: dict[str, None] = {}

    @property
    def shape(self) -> Shape | None:
        """Of the objects whose keys are names, None where there were none."""
        while self._shape is not None and self._shape.into is not None:
            self._shape = self._shape.into
        return self._shape

    @shape.setter
    def shape(self, shape: Shape | None) -> None:
        self._shape = shape

    def add(self, value: Any) -> None:
        """Look at one document."""
        self.look(value, self.doubled)

    def look(self, value: Any, doubled: dict[str, None]) -> None:
        """Look at one value; keys that stand in an object twice are put into ``doubled``."""
        match value:
            case str():
                self.strings += 1
                self.times += self.times == self.strings - 1 and _is_moment(value)
            case dict():
                self._look_object(value, doubled)
            case bool():
                self.boolean = True
            case int():
                self.integers = True
                self.low, self.high = min(self.low, value), max(self.high, value)
            case float():
                self.floats = True
            case list():
                items = self.items = self.items or Seen()
                for one in value:
                    items.look(one, doubled)
            case None:
                self.null = True
            case Huge():
                self.huge = True

    def _look_object(self, value: dict[str, Any], doubled: dict[str, None]) -> None:
        if isinstance(value, Doubled):
            doubled.update(dict.fromkeys(value.doubled))
        shape = self.shape = self.shape or Shape()
        shape.objects += 1
        fields, counts = shape.fields, shape.counts
        for key, inner in value.items():
            seen = fields.get(key)
            if seen is None:
                seen = fields[key] = Seen()
                counts[key] = 0
            counts[key] += 1
            seen.look(inner, doubled)

    def merge(self, other: Seen) -> None:
        """Take in what was seen at another place."""
        if other is self:
            return
        self.null |= other.null
        self.boolean |= other.boolean
        self.floats |= other.floats
        self.integers |= other.integers
        self.huge |= other.huge
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.strings += other.strings
        self.times += other.times
        for name in ("items", "values"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine is None:
                setattr(self, name, theirs)
            elif theirs is not None:
                mine.merge(theirs)
        if self.shape is None:
            self.shape = other.shape
        elif other.shape is not None:
            _merge_shapes(self.shape, other.shape)


def fold(root: Seen) -> None:
    """Let objects in objects of the same keys be of one shape, until nothing changes."""
    while _fold(root, [], set()):
        pass


def _fold(seen: Seen, above: list[tuple[Shape, str]], visited: set[int]) -> bool:
    """Fold what is below a place; above: the shapes around it, each with the key that leads here."""
    changed = False
    shape = seen.shape
    if shape is not None:
        for outer, key in above:
            if outer is not shape and _repeats(outer, shape, key):
                seen.shape = outer
                _merge_shapes(outer, shape)
                return True
    for inner in (seen.items, seen.values):
        if inner is not None:
            changed |= _fold(inner, above, visited)
    if shape is not None and id(shape) not in visited:
        visited.add(id(shape))
        for key, field in list(shape.fields.items()):
            changed |= _fold(field, [*above, (shape, key)], visited)
    return changed


def _repeats(outer: Shape, shape: Shape, key: str) -> bool:
    """Whether a shape is that of the object which it stands in, under ``key``: it has that key again."""
    mine, theirs = shape.fields.keys(), outer.fields.keys()
    return key in mine and (mine <= theirs or theirs <= mine)


def _merge_shapes(into: Shape, other: Shape) -> None:
    """Make one shape of two; whoever refers to the other finds the one."""
    if into is other:
        return
    other.into = into  # first: shapes may contain each other
    into.objects += other.objects
    for key, theirs in other.fields.items():
        into.counts[key] = into.counts.get(key, 0) + other.counts[key]
        into.fields.setdefault(key, theirs).merge(theirs)


def _is_moment(text: str) -> bool:
    found = _MOMENT.fullmatch(text)
    if found is None:
        return False
    try:
        datetime.strptime(found[1], "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return False
    return True
