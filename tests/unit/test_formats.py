"""The file formats are final: files of every version are read, and writers keep to the version they name."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from goretain.capture.imagefile import blocks
from goretain.capture.imagefile.reader import read_image
from goretain.capture.libc import REGISTERS
from goretain.golang.read import read_heap
from goretain.snapshot import Columns, layout, load
from tests.support import formats
from tests.support.images import image_bytes, made_image, with_companions

DOCS = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
IMAGES = sorted(formats.GOLDEN.glob("image-*.image"))
SNAPSHOTS = sorted(formats.GOLDEN.glob("snapshot-*.goretain"))
_NEW_VERSION = (
    "the layout changed: give it a new version, keep the reader of this one, see tests.support.formats"
)


def test_there_are_files_of_every_version() -> None:
    assert [path.stem for path in IMAGES] == [f"image-{n}" for n in range(1, blocks.VERSION + 1)]
    assert [path.stem for path in SNAPSHOTS] == [f"snapshot-{n}" for n in range(1, layout.VERSION + 1)]


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.stem)
def test_images_of_every_version_are_read_as_on_the_day_they_were_made(path: Path) -> None:
    image = read_image(path)
    expected = json.loads(path.with_suffix(".json").read_text())
    found = formats.content_of(image)
    found["facts"] = {key: found["facts"][key] for key in expected["facts"]}
    assert found == expected


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.stem)
def test_images_of_every_version_can_be_analysed(path: Path) -> None:
    """tests/zoo/tiny: objects and bytes that its runtime counted are the same in the snapshot of that day."""
    snapshot = read_heap(read_image(path))
    of_that_day = load(formats.SNAPSHOT.with_suffix(".goretain"))
    assert snapshot.meta.totals == of_that_day.meta.totals
    assert snapshot.columns.object_address.tolist() == of_that_day.columns.object_address.tolist()
    assert snapshot.meta.go_version == "go1.21.13"


@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: path.stem)
def test_snapshots_of_every_version_are_read_as_on_the_day_they_were_made(path: Path) -> None:
    assert formats.content_of_snapshot(load(path), path) == json.loads(path.with_suffix(".json").read_text())


def test_the_writer_of_images_writes_what_its_version_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # paths of files become part of an image
    raw = image_bytes(with_companions(made_image(Path()), Path()))
    expected = formats.IMAGE.with_suffix(".layout.txt").read_text().splitlines()
    assert formats.image_layout(raw) == expected, _NEW_VERSION


def test_the_writer_of_snapshots_writes_what_its_version_says() -> None:
    found = formats.snapshot_layout()
    expected = json.loads(formats.SNAPSHOT.with_suffix(".layout.json").read_text())
    assert found["sections"] == expected["sections"], _NEW_VERSION
    assert found["numbers"] == expected["numbers"], _NEW_VERSION
    for section, columns in expected["optional"].items():
        assert found["optional"][section] == columns, _NEW_VERSION
    for table, fields in expected["tables"].items():
        known = {name: found["tables"][table].get(name) for name in fields}
        assert known == fields, _NEW_VERSION
        added = {name: kind for name, kind in found["tables"][table].items() if name not in fields}
        assert all(kind.endswith("optional") for kind in added.values()), f"{table} {added}: {_NEW_VERSION}"


def test_what_a_reader_needs_to_know_is_in_the_docs() -> None:
    text = DOCS.read_text()
    for kind in blocks.ORDER:
        assert f"`{kind.decode()}`" in text
    optional = [name for columns in formats.snapshot_layout()["optional"].values() for name in columns]
    for name in (*Columns.names(), *layout.TABLES, *optional):
        assert f"`{name}`" in text
    assert " ".join(REGISTERS) in re.sub(r"\s+", " ", text)
    for table, fields in formats.snapshot_layout()["tables"].items():
        assert table in text
        assert all(f"`{name}`" in text for name in fields), table
