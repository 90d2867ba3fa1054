"""A snapshot file: what was saved is what is opened, and nothing else is ever opened."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import stat
import struct
import tracemalloc
import zlib
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goretain.model.errors import CorruptFile, UsageError
from goretain.model.saving import check_place, whole_file
from goretain.snapshot import Columns, Snapshot, is_snapshot, load, save, validate
from goretain.snapshot.groups import GROUP_DTYPES, GROUPS
from goretain.snapshot.layout import DTYPES, OPTIONAL_TABLES, PREAMBLE, TABLES, VERSION, Section
from tests.unit.snapshot.synthetic import scattered, small

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def same(a: Snapshot, b: Snapshot) -> bool:
    """Equal tables, and columns equal in dtype and values."""
    tables = all(getattr(a, name) == getattr(b, name) for name in (*TABLES, *OPTIONAL_TABLES))
    groups = {"columns": DTYPES} | GROUP_DTYPES
    return tables and all(_same(getattr(a, g), getattr(b, g), names) for g, names in groups.items())


def _same(a: object, b: object, names: Iterable[str]) -> bool:
    if a is None or b is None:
        return a is b
    pairs = [(getattr(a, name), getattr(b, name)) for name in names]
    return all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in pairs)


def contents_of(raw: bytes) -> list[Section]:
    (size,) = struct.unpack_from("<Q", raw, 16)
    return msgspec.msgpack.decode(raw[PREAMBLE : PREAMBLE + size], type=list[Section])


def resealed(raw: bytearray, sections: list[Section]) -> bytes:
    """The file with its sections' and its header's checksums made to fit what is in it."""
    fresh = [
        Section(s.name, s.dtype, s.offset, s.bytes, zlib.crc32(raw[s.offset : s.offset + s.bytes]))
        for s in sections
    ]
    contents = msgspec.msgpack.encode(fresh)
    first = sections[0].offset
    assert PREAMBLE + len(contents) <= first
    head = struct.pack("<8sIIQQ", b"GORETAIN", VERSION, 0, len(contents), len(raw))
    room = bytes(first - PREAMBLE - len(contents))
    return head + hashlib.sha256(head + contents).digest() + contents + room + bytes(raw[first:])


def test_the_table_of_dtypes_names_every_column() -> None:
    assert tuple(DTYPES) == Columns.names()
    for group, dtypes in GROUP_DTYPES.items():
        assert tuple(dtypes) == tuple(field.name for field in fields(GROUPS[group]))


@pytest.mark.parametrize("group", [*GROUP_DTYPES, *OPTIONAL_TABLES])
def test_what_is_unknown_is_not_in_the_file_and_stays_unknown(tmp_path: Path, group: str) -> None:
    snapshot = small()
    assert getattr(snapshot, group) is not None
    setattr(snapshot, group, None)
    if group == "sites":
        snapshot.samples = None
    save(snapshot, tmp_path / "a")
    names = {section.name for section in contents_of((tmp_path / "a").read_bytes())}
    assert names.isdisjoint(GROUP_DTYPES.get(group, {group: ""}))
    assert getattr(load(tmp_path / "a"), group) is None


def test_part_of_a_group_is_refused(tmp_path: Path) -> None:
    save(small(), tmp_path / "a")
    raw = (tmp_path / "a").read_bytes()
    sections = [s for s in contents_of(raw) if s.name != "wait_kind"]
    (tmp_path / "a").write_bytes(resealed(bytearray(raw), sections))
    with pytest.raises(CorruptFile, match="'wait_kind' is missing"):
        load(tmp_path / "a")


@given(seed=st.integers(0, 2**32), objects=st.integers(0, 60))
@FEW
def test_what_was_saved_is_opened(tmp_path: Path, seed: int, objects: int) -> None:
    snapshot = scattered(seed, objects)
    validate(snapshot)
    size = save(snapshot, tmp_path / "a.goretain")
    assert size == (tmp_path / "a.goretain").stat().st_size
    assert same(snapshot, load(tmp_path / "a.goretain"))


def test_columns_are_views_of_the_mapped_file_at_multiples_of_64(tmp_path: Path) -> None:
    save(small(), tmp_path / "a")
    opened = load(tmp_path / "a")
    for name in Columns.names():
        column = getattr(opened.columns, name)
        if len(column):
            assert isinstance(column.base, mmap.mmap | memoryview) or isinstance(
                column.base.base, mmap.mmap
            ), name
            assert column.ctypes.data % 64 == 0
            assert column.flags.writeable  # one numba type for fresh and opened columns
    opened.columns.object_size[0] = 7
    assert load(tmp_path / "a").columns.object_size[0] == 32  # the file is not written through


def test_opening_allocates_less_than_a_column(tmp_path: Path) -> None:
    snapshot = scattered(1, 40)
    rows = 2_000_000
    snapshot.columns.window_start = np.zeros(rows, np.int64)
    for name in ("target", "source", "word", "kind", "length", "capacity"):
        setattr(snapshot.columns, f"window_{name}", np.zeros(rows, DTYPES[f"window_{name}"]))
    save(snapshot, tmp_path / "a")
    tracemalloc.start()
    load(tmp_path / "a")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < rows * 8


def test_a_file_that_others_may_write_to_is_not_mapped(tmp_path: Path) -> None:
    save(small(), tmp_path / "a")
    (tmp_path / "a").chmod(0o666)
    opened = load(tmp_path / "a")
    os.truncate(tmp_path / "a", 0)  # a mapping would end this process with SIGBUS below
    assert int(opened.columns.object_size.sum()) == small().columns.object_size.sum()


def test_the_file_is_for_this_user_only_and_leaves_no_other(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"older")
    (tmp_path / "a").chmod(0o644)
    save(small(), tmp_path / "a")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_where_files_cannot_be_without_a_name_a_temporary_one_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = os.open

    def refusing(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        return opens(path, flags, mode)

    monkeypatch.setattr(os, "open", refusing)
    with whole_file(tmp_path / "a") as descriptor:
        (temporary,) = tmp_path.iterdir()
        assert temporary.name.startswith(".goretain.")
        os.write(descriptor, b"first")
    with pytest.raises(KeyError), whole_file(tmp_path / "a"):
        raise KeyError
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "first")]
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_saving_over_an_opened_snapshot_leaves_it_whole(tmp_path: Path) -> None:
    save(small(), tmp_path / "a")
    opened = load(tmp_path / "a")
    save(scattered(3), tmp_path / "a")
    assert same(opened, small())


def test_a_save_that_fails_keeps_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(small(), tmp_path / "a")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left") as caught:
        save(scattered(3), tmp_path / "a")
    assert "free some space" in caught.value.hint
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert same(load(tmp_path / "a"), small())


def test_a_name_in_a_directory_that_is_gone_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "release"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UsageError, match=r"cannot save to app\.image: the directory .* is gone"):
        check_place("app.image")
    assert check_place(tmp_path / "app.image") == tmp_path / "app.image"


@pytest.mark.parametrize("path", ["missing/a", "folder"])
def test_a_place_that_cannot_be_written_to_is_a_usage_error(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot save to"):
        save(small(), tmp_path / path)


def test_only_a_file_with_the_magic_is_a_snapshot(tmp_path: Path) -> None:
    save(small(), tmp_path / "a")
    (tmp_path / "b").write_bytes(b"\x7fELF")
    assert is_snapshot(tmp_path / "a")
    assert not is_snapshot(tmp_path / "b")
    assert not is_snapshot(tmp_path / "c")
    assert not is_snapshot(tmp_path)


def test_every_truncation_is_found_and_says_where(tmp_path: Path) -> None:
    save(small(), tmp_path / "a")
    raw = (tmp_path / "a").read_bytes()
    for size in [*range(0, len(raw), 7), len(raw) - 1]:
        (tmp_path / "b").write_bytes(raw[:size])
        with pytest.raises(CorruptFile) as caught:
            load(tmp_path / "b")
        assert caught.value.offset is not None
        assert caught.value.hint


def test_a_longer_file_and_a_newer_version_are_refused(tmp_path: Path) -> None:
    save(small(), tmp_path / "a")
    raw = (tmp_path / "a").read_bytes()
    (tmp_path / "b").write_bytes(raw + b"x")
    with pytest.raises(CorruptFile, match="longer than it was"):
        load(tmp_path / "b")
    (tmp_path / "b").write_bytes(raw[:8] + bytes([VERSION + 1]) + raw[9:])
    with pytest.raises(CorruptFile, match=f"format version {VERSION + 1}") as caught:
        load(tmp_path / "b")
    assert "newer" in caught.value.hint


@pytest.mark.parametrize("kind", ["folder", "pipe", "foreign", "empty"])
def test_what_is_not_a_snapshot_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "foreign":
            path.write_bytes(b"\x7fELF" + bytes(500))
        case _:
            path.write_bytes(b"")
    with pytest.raises(CorruptFile):
        load(path)


@given(at=st.integers(0, 2**20), bit=st.integers(0, 7))
@settings(FEW, max_examples=300)
def test_every_flipped_bit_is_found(tmp_path: Path, at: int, bit: int) -> None:
    path = tmp_path / "a"
    if not path.exists():
        save(scattered(5), path)
        (tmp_path / "whole").write_bytes(path.read_bytes())
    raw = bytearray((tmp_path / "whole").read_bytes())
    at %= len(raw)
    raw[at] ^= 1 << bit
    path.write_bytes(raw)
    sections = contents_of((tmp_path / "whole").read_bytes())
    inside = at < 64 + struct.unpack_from("<Q", (tmp_path / "whole").read_bytes(), 16)[0] or any(
        s.offset <= at < s.offset + s.bytes for s in sections
    )
    if inside:
        with pytest.raises(CorruptFile):
            load(path)
    else:  # between two sections nothing is stored
        assert same(load(path), scattered(5))


@given(data=st.data())
@settings(FEW, max_examples=400)
def test_a_changed_file_with_fitting_checksums_is_refused_or_obeys_the_invariants(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "a"
    save(scattered(7), path)
    raw = bytearray(path.read_bytes())
    sections = contents_of(bytes(raw))
    for _ in range(data.draw(st.integers(1, 4))):
        section = data.draw(st.sampled_from([s for s in sections if s.bytes]))
        at = section.offset + data.draw(st.integers(0, section.bytes - 1))
        raw[at] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, raw[at] ^ 0x10]))
    path.write_bytes(resealed(raw, sections))
    try:
        opened = load(path)
    except CorruptFile:
        return
    validate(opened)


@given(data=st.data())
@settings(FEW, max_examples=200)
def test_a_changed_table_of_contents_with_fitting_checksum_is_refused_or_harmless(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "a"
    save(scattered(7), path)
    raw = path.read_bytes()
    sections = contents_of(raw)
    row = data.draw(st.integers(0, len(sections) - 1))
    field = data.draw(st.sampled_from(["name", "dtype", "offset", "bytes"]))
    texts = st.sampled_from(["", "meta", "object_size", "<i8", "|u1", "msgpack"])
    numbers = st.sampled_from([-64, 0, 64, 1 << 20, 2**62, -(2**63), sections[row].bytes - 8])
    value = data.draw(texts if field in ("name", "dtype") else numbers)
    sections[row] = msgspec.structs.replace(sections[row], **{field: value})
    contents = msgspec.msgpack.encode(sections)
    head = struct.pack("<8sIIQQ", b"GORETAIN", VERSION, 0, len(contents), len(raw))
    changed = head + hashlib.sha256(head + contents).digest() + contents
    path.write_bytes(changed + raw[len(changed) :])
    try:
        opened = load(path)
    except CorruptFile:
        return
    validate(opened)


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR])
@pytest.mark.parametrize("linked", [False, True])
def test_what_is_no_regular_file_is_never_replaced(tmp_path: Path, kind: int, linked: bool) -> None:
    place = tmp_path / "a"
    if kind == stat.S_IFDIR:
        place.mkdir()
    else:
        os.mknod(place, kind | 0o600)
    if linked:
        (tmp_path / "link").symlink_to(place)
        place = tmp_path / "link"
    before = [(p.name, p.lstat().st_ino) for p in sorted(tmp_path.iterdir())]
    with pytest.raises(UsageError, match="it is a "):
        check_place(place)
    with pytest.raises(UsageError, match="it is a "):
        save(small(), place)
    assert [(p.name, p.lstat().st_ino) for p in sorted(tmp_path.iterdir())] == before


def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    """Asked of the check alone, which writes nothing."""
    (tmp_path / "null").symlink_to(os.devnull)
    with pytest.raises(UsageError, match="it is a device"):
        check_place(tmp_path / "null")
    assert (tmp_path / "null").readlink() == Path(os.devnull)


@pytest.mark.parametrize("exists", [False, True])
def test_a_symbolic_link_stays_and_its_file_is_written(tmp_path: Path, exists: bool) -> None:
    (tmp_path / "disk").mkdir()
    if exists:
        (tmp_path / "disk" / "b").write_bytes(b"older")
    (tmp_path / "a").symlink_to(Path("disk") / "b")
    save(small(), tmp_path / "a")
    assert (tmp_path / "a").is_symlink()
    assert same(small(), load(tmp_path / "disk" / "b"))
    assert [p.name for p in (tmp_path / "disk").iterdir()] == ["b"]


def test_links_in_a_circle_are_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    with pytest.raises(UsageError, match="cannot save to"):
        check_place(tmp_path / "a")
    assert (tmp_path / "a").is_symlink()


def test_a_link_of_another_user_in_a_directory_for_everybody_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b").write_bytes(b"precious")
    (tmp_path / "a").symlink_to("b")
    monkeypatch.setattr(Path, "lstat", lambda path: _of_another_user(os.lstat(path)))
    check_place(tmp_path / "a")
    tmp_path.chmod(0o1777)
    with pytest.raises(UsageError, match="another user's symbolic link"):
        save(small(), tmp_path / "a")
    assert (tmp_path / "b").read_bytes() == b"precious"


def _of_another_user(facts: os.stat_result) -> os.stat_result:
    changed = list(facts)
    changed[stat.ST_UID] += 1
    return os.stat_result(changed)
