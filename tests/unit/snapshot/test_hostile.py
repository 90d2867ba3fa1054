"""A hostile file that passes the checks of ``load``: each analysis ends with an answer or an error."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import goretain
from goretain.model.errors import CorruptFile, GoretainError
from goretain.reports import json as json_report
from goretain.reports.markdown import render_why
from goretain.reports.text import render_why as render_text
from goretain.snapshot import Memory, Site, Snapshot, TypeField, TypeInfo, save, validate
from goretain.snapshot.layout import PREAMBLE, VERSION, Section
from tests.unit.snapshot.synthetic import scattered, small
from tests.unit.snapshot.test_file import contents_of, resealed

MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def answers(path: Path) -> None:
    """Everything that the commands would compute and print."""
    snapshot = goretain.open(path)
    report = snapshot.why(top=50)
    assert render_text(report, 80).text
    assert len(render_why(report).splitlines()) <= 60
    json.loads(json_report.render(report))
    json.loads(json_report.render(snapshot.diff(snapshot)))
    snapshot.backing()
    for rank in range(min(3, len(snapshot.maps()))):
        assert snapshot.maps()[rank].bytes >= 0


@pytest.mark.parametrize("snapshot", [small(), scattered(11), scattered(12, objects=0)])
def test_whole_snapshots_are_answered(tmp_path: Path, snapshot: Snapshot) -> None:
    save(snapshot, tmp_path / "a")
    answers(tmp_path / "a")


@given(data=st.data())
@MANY
def test_changed_columns_are_refused_or_answered(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a"
    save(data.draw(st.sampled_from([small(), scattered(7), scattered(8, 12, 60)])), path)
    raw = bytearray(path.read_bytes())
    sections = contents_of(bytes(raw))
    columns = [s for s in sections if s.bytes and s.dtype != "msgpack"]
    for _ in range(data.draw(st.integers(1, 6))):
        section = data.draw(st.sampled_from(columns))
        width = np.dtype(section.dtype).itemsize
        at = section.offset + width * data.draw(st.integers(0, section.bytes // width - 1))
        value = data.draw(
            st.sampled_from([0, 1, 2, 3, 7, 16, 255, 4096, 1 << 20, 1 << 40, (1 << 47) - 1, -1])
        )
        raw[at : at + width] = (value % (1 << (8 * width))).to_bytes(width, "little")
    path.write_bytes(resealed(raw, sections))
    with suppress(GoretainError):
        answers(path)


@given(data=st.data())
@MANY
def test_changed_tables_are_refused_or_answered(tmp_path: Path, data: st.DataObject) -> None:
    snapshot = small()
    for _ in range(data.draw(st.integers(1, 3))):
        row = data.draw(st.integers(0, len(snapshot.types) - 1))
        field = data.draw(st.sampled_from(["name", "kind", "size", "elem", "key", "count", "role", "fields"]))
        texts = st.sampled_from(
            ["", "struct", "slice", "map", "ptr", "array", "string", "\x1b[2J", "x" * 3000]
        )
        numbers = st.sampled_from([-2, -1, 0, 1, 3, 5, 6, 8, 1 << 30, (1 << 47) - 1])
        roles = st.sampled_from(["", "map-groups", "map-header", "map-table", "chan", "closure", "data"])
        fields = st.lists(st.builds(TypeField, texts, numbers, numbers), max_size=3).map(tuple)
        value = data.draw({"name": texts, "kind": texts, "role": roles, "fields": fields}.get(field, numbers))
        snapshot.types[row] = msgspec.structs.replace(snapshot.types[row], **{field: value})
    save(snapshot, tmp_path / "a")
    with suppress(GoretainError):
        answers(tmp_path / "a")


@pytest.mark.parametrize(
    "table",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 4000,
        b"\xc1",
        b"\xa4\xff\xff\xff\xff",
        b"",
        b"\x80",
        b"\xdf\xff\xff\xff\xff",
    ],
)
@pytest.mark.parametrize("name", ["meta", "types", "roots", "goroutines", "strings", "entry_keys", "sites"])
def test_a_table_that_is_no_table_is_refused_and_costs_nothing(
    tmp_path: Path, name: str, table: bytes
) -> None:
    path = tmp_path / "a"
    save(small(), path)
    raw = bytearray(path.read_bytes())
    sections = contents_of(bytes(raw))
    end = len(raw) + -len(raw) % 64
    raw = raw.ljust(end, b"\0") + table
    moved = Section(name, "msgpack", end, len(table), zlib.crc32(table))
    sections = [s for s in sections if s.name != name] + [moved]
    contents = msgspec.msgpack.encode(sections)
    head = struct.pack("<8sIIQQ", b"GORETAIN", VERSION, 0, len(contents), len(raw))
    start = head + hashlib.sha256(head + contents).digest() + contents
    assert len(start) <= PREAMBLE + len(contents)
    path.write_bytes(start + raw[len(start) :])
    with pytest.raises(CorruptFile, match=f"table '{name}'"):
        goretain.open(path)


def broken(change: str) -> Snapshot:
    snapshot = small()
    waits, spans, samples = snapshot.waits, snapshot.spans, snapshot.samples
    assert waits is not None
    assert spans is not None
    assert samples is not None
    loop = TypeInfo(name="main.T", kind="struct", size=8, fields=(TypeField("t", 0, 6),))
    far = TypeInfo(name="main.F", kind="struct", size=8, fields=(TypeField("f", 4, 1),))
    match change:
        case "contains itself":
            snapshot.types.append(loop)
        case "lies outside of it":
            snapshot.types.append(far)
        case "names a type that is not there":
            snapshot.types.append(TypeInfo(name="main.P", kind="ptr", size=8, elem=99))
        case "overlap":
            snapshot.columns.object_address[1] = snapshot.columns.object_address[0] + 8
        case "is not monotone":
            snapshot.columns.edge_start[1] = 5
            snapshot.columns.edge_start[2] = 4
        case "does not span":
            snapshot.columns.edge_start[-1] = 3
        case "names a root row":
            snapshot.columns.window_source[0] = 0xFFFFFFFF
            snapshot.columns.window_word[0] = 77
        case "exceeds the capacity":
            snapshot.columns.window_length[0] = 1 << 30
        case "unknown layer":
            snapshot.roots[0] = msgspec.structs.replace(snapshot.roots[0], layer=9)
        case "wait_goroutine: is not ascending":
            snapshot.goroutines *= 2
            waits.wait_goroutine = np.array([1, 0], np.int32)
            for name in ("wait_kind", "wait_address", "wait_object", "wait_name"):
                setattr(waits, name, np.repeat(getattr(waits, name), 2))
        case "wait_name: has another number":
            waits.wait_name = waits.wait_name[:0]
        case "wait_object: names an object":
            waits.wait_object[0] = 99
        case "spans overlap":
            spans.span_start[1] = spans.span_start[0]
        case "exceeds the slots":
            spans.span_live[0] = 10_000
        case "do not fit":
            spans.span_slots[0] = 10_000
        case "sample_site":
            samples.sample_site[0] = 1
        case "heap_free cannot be -1":
            snapshot.memory = Memory(heap_free=-1)
        case "sites":
            snapshot.sites = [Site(frames=(), bytes=-5)]
        case _:
            snapshot.entry_keys = ["k"]
    return snapshot


CHANGES = [
    "contains itself",
    "lies outside of it",
    "names a type that is not there",
    "overlap",
    "is not monotone",
    "does not span",
    "names a root row",
    "exceeds the capacity",
    "unknown layer",
    "is not parallel",
    "wait_goroutine: is not ascending",
    "wait_name: has another number",
    "wait_object: names an object",
    "spans overlap",
    "exceeds the slots",
    "do not fit",
    "sample_site",
    "heap_free cannot be -1",
    "sites",
]


@pytest.mark.parametrize("change", CHANGES)
def test_each_invariant_is_checked_and_named(tmp_path: Path, change: str) -> None:
    snapshot = broken(change)
    with pytest.raises(ValueError) as refused:
        validate(snapshot)
    assert change in ": ".join(refused.value.args)
    save(snapshot, tmp_path / "a")
    with pytest.raises(CorruptFile, match=change) as caught:
        goretain.open(tmp_path / "a")
    assert caught.value.offset is not None


def test_a_negative_total_is_refused() -> None:
    snapshot = small()
    totals = msgspec.structs.replace(snapshot.meta.totals, in_use_bytes=-1)
    snapshot.meta = msgspec.structs.replace(snapshot.meta, totals=totals)
    with pytest.raises(ValueError, match="meta"):
        validate(snapshot)
