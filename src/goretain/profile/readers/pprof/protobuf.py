"""Reads a pprof profile (profile.proto of google/pprof) with protobuf's own parser.

What the parser lets through is checked as github.com/google/pprof/profile.Profile.CheckValid does: every
number that names a text, function or location must name one. A field or a group that is not of profile.proto
is passed over. Written for a profile or a few; for many there is :mod:`goretain.profile.readers.pprof.wire`.
Imports ``model``, ``golang.packages`` for names, and ``profile``'s columns and message.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from goretain.golang.packages import display_name
from goretain.model.errors import CorruptFile
from goretain.profile.columns import Label, Profile, StackTable, ValueType, table
from goretain.profile.message import profile_class
from goretain.profile.readers.pprof.damage import first_damage, offset_of

#: Frames of all stacks together: inlined calls can make much of a few bytes.
MOST_FRAMES = 1 << 24
#: Columns of values; Go's profiles have one to four.
MOST_TYPES = 64
_AGAIN = "the profile is damaged; fetch it again"


def read_pprof(data: bytes, name: str) -> Profile:
    """A profile of its bytes (not gzipped).

    Args:
        name: what to call the file in errors.

    Raises:
        CorruptFile: the bytes are no profile, or damaged; with the offset.
    """
    from google.protobuf.message import DecodeError

    message = profile_class()()
    try:
        message.ParseFromString(data)
    except DecodeError:
        offset, reason = first_damage(data) or (None, "protobuf cannot parse it")
        raise CorruptFile(name, offset, reason, hint=_AGAIN) from None
    return _Reader(data, name, message).profile()


class _Reader:
    """One message on its way into columns."""

    def __init__(self, data: bytes, name: str, message: Any) -> None:
        self._data = data
        self._name = name
        self._message = message
        self._texts: list[str] = [text.decode("utf-8", "backslashreplace") for text in message.string_table]
        self._table = StackTable()
        self._frames = 0

    def profile(self) -> Profile:
        """The columns. Raises CorruptFile."""
        message = self._message
        if self._texts and self._texts[0]:
            raise self._wrong("string_table", 0, "the first text is not the empty one")
        kinds = message.sample_type[: MOST_TYPES + 1]
        types = tuple(self._type(kind, "sample_type", at) for at, kind in enumerate(kinds))
        if not types:
            raise CorruptFile(self._name, 0, "it does not say what its values are (sample_type)", hint=_AGAIN)
        if len(types) > MOST_TYPES:
            raise self._wrong("sample_type", MOST_TYPES, f"there are more than {MOST_TYPES}")
        stack, values, sizes, sets, label_sets = self._samples(len(types))
        mapping = message.mapping[0] if message.mapping else None
        has_period = message.HasField("period_type")
        return Profile(
            types=types,
            stacks=self._table.columns(),
            stack=np.array(stack, np.int32),
            values=table(values, len(types)),
            object_size=np.array(sizes, np.int64),
            label_set=np.array(sets, np.int32),
            label_sets=label_sets,
            default_type=self._text(message.default_sample_type, "default_sample_type"),
            period_type=self._type(message.period_type, "period_type", 0) if has_period else None,
            period=message.period if message.period > 0 else None,
            time_ns=message.time_nanos or None,
            duration_ns=message.duration_nanos or None,
            program=self._text(mapping.filename, "mapping") if mapping else "",
            build_id=self._text(mapping.build_id, "mapping") if mapping else "",
            comments=tuple(self._text(number, "comment", at) for at, number in enumerate(message.comment)),
        )

    def _samples(
        self, width: int
    ) -> tuple[list[int], list[Any], list[int], list[int], tuple[tuple[Label, ...], ...]]:
        locations = self._locations()
        stack: list[int] = []
        values: list[Any] = []
        sizes: list[int] = []
        sets: list[int] = []
        known: dict[tuple[Label, ...], int] = {(): 0}
        for at, sample in enumerate(self._message.sample):
            frames: list[int] = []
            try:
                for location in sample.location_id:
                    frames += locations[location]
            except KeyError as missing:
                raise self._wrong("sample", at, f"there is no location {missing.args[0]}") from None
            if len(sample.value) != width:
                raise self._wrong("sample", at, f"{len(sample.value)} values, where there are {width} types")
            self._count(len(frames), at)
            stack.append(self._table.stack(tuple(frames)))
            values.append(sample.value)
            size, labels = self._labels(sample, at) if sample.label else (-1, ())
            sizes.append(size)
            sets.append(known.setdefault(labels, len(known)))
        return stack, values, sizes, sets, tuple(known)

    def _count(self, frames: int, sample: int) -> None:
        self._frames += frames
        if self._frames > MOST_FRAMES:
            raise self._wrong("sample", sample, f"the stacks have more than {MOST_FRAMES:,} frames")

    def _labels(self, sample: Any, at: int) -> tuple[int, tuple[Label, ...]]:
        """The size of the objects (the runtime's label ``bytes``; -1 none), and the other labels."""
        size, labels = -1, []
        for label in sample.label:
            key = self._text(label.key, "sample", at)
            if label.str:
                labels.append(Label(key, self._text(label.str, "sample", at)))
            elif key == "bytes":
                size = label.num
            else:
                labels.append(Label(key, label.num, self._text(label.num_unit, "sample", at)))
        return size, tuple(labels)

    def _locations(self) -> dict[int, tuple[int, ...]]:
        """Location id -> its frames, innermost first."""
        functions: dict[int, tuple[str, str]] = {}
        for at, function in enumerate(self._message.function):
            if function.id == 0 or function.id in functions:
                raise self._wrong("function", at, f"its id {function.id} is taken")
            name = display_name(self._text(function.name, "function", at))
            functions[function.id] = name, self._text(function.filename, "function", at)
        mappings = {mapping.id: at for at, mapping in enumerate(self._message.mapping)}
        found: dict[int, tuple[int, ...]] = {}
        for at, location in enumerate(self._message.location):
            frames = []
            if location.id == 0 or location.id in found:
                raise self._wrong("location", at, f"its id {location.id} is taken")
            for line in location.line:
                if line.function_id not in functions:
                    raise self._wrong("location", at, f"there is no function {line.function_id}")
                frames.append(self._table.frame(*functions[line.function_id], line.line))
            if not frames:  # code without symbols: all that can be said is which file it is of
                which = mappings.get(location.mapping_id, -1)
                file = self._message.mapping[which].filename if which >= 0 else 0
                frames.append(self._table.frame("", self._text(file, "mapping", which)))
            found[location.id] = tuple(frames)
        return found

    def _type(self, message: Any, field: str, at: int) -> ValueType:
        return ValueType(self._text(message.type, field, at), self._text(message.unit, field, at))

    def _text(self, number: int, field: str, at: int = 0) -> str:
        if number == 0:
            return ""
        if not 0 < number < len(self._texts):
            raise self._wrong(field, at, f"there is no text {number} among {len(self._texts)}")
        return self._texts[number]

    def _wrong(self, field: str, index: int, reason: str) -> CorruptFile:
        where = f"{field} {index}: {reason}"
        return CorruptFile(self._name, offset_of(self._data, field, index), where, hint=_AGAIN)
