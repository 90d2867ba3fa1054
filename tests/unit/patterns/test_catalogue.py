"""The catalogue finds folders by listing, and says which file is at fault when a folder is incomplete."""

from __future__ import annotations

import importlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from goretain.model.errors import CorruptFile
from goretain.model.findings import Chain, Confidence
from goretain.patterns import SECTIONS, catalogue
from goretain.patterns.names import fingerprint_of
from goretain.patterns.routes import Route, brief

_SOURCE = Path(str(importlib.import_module("goretain.patterns").__file__)).parent
_FOLDER = "subslice_pins_array"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with one copied pattern folder; its name is new each time, so that no import is cached."""
    root = tmp_path / re.sub(r"\W", "_", f"patterns_{tmp_path.name}")
    shutil.copytree(_SOURCE / _FOLDER, root / _FOLDER)
    (root / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield root
    catalogue.cache_clear()


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_every_folder_of_the_package_is_a_pattern_and_nothing_else_is() -> None:
    folders = sorted(f.parent.name for f in _SOURCE.glob("*/pattern.toml"))
    assert sorted(p.folder for p in catalogue()) == folders
    assert len(folders) >= 4


def test_codes_and_names_are_unique_and_ordered_by_code() -> None:
    codes = [p.code for p in catalogue()]
    assert codes == sorted(set(codes))
    assert len({p.name for p in catalogue()}) == len(codes)


def test_every_doc_has_all_sections_and_names_its_code() -> None:
    for pattern in catalogue():
        assert set(SECTIONS) <= set(pattern.doc.sections)
        assert pattern.doc.heading.startswith(f"{pattern.code} {pattern.name}:")


def test_a_folder_that_appears_is_a_pattern_without_any_registry(package: Path) -> None:
    assert [p.name for p in catalogue(package.name)] == ["subslice-pins-array"]


def test_a_folder_without_pattern_toml_is_no_pattern(package: Path) -> None:
    (package / "notes").mkdir()
    (package / "notes" / "doc.md").write_text("# Notes\n")
    assert len(catalogue(package.name)) == 1


@pytest.mark.parametrize("name", ["doc.md", "signature.py", "experiment/main.go", "experiment/expected.toml"])
def test_a_missing_file_is_named(package: Path, name: str) -> None:
    (package / _FOLDER / name).unlink()
    with pytest.raises(CorruptFile, match=f"subslice-pins-array has no {name}"):
        catalogue(package.name)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_missing_section_is_named(package: Path, section: str) -> None:
    replace(package / _FOLDER / "doc.md", f"## {section}\n", "")
    with pytest.raises(CorruptFile, match=rf"section '## {section}' is missing"):
        catalogue(package.name)


def test_a_code_taken_twice_is_an_error_that_names_both_folders(package: Path) -> None:
    shutil.copytree(package / _FOLDER, package / "substring_pins_text")
    replace(package / "substring_pins_text" / "pattern.toml", "subslice-pins-array", "substring-pins-text")
    with pytest.raises(CorruptFile, match=r"code 'GR101' is already taken by subslice_pins_array"):
        catalogue(package.name)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"GR101"', '"G1"', "is not GR and three digits"),
        ('"subslice-pins-array"', '"subslice-pins-text"', "does not match its folder"),
        ('"subslice-pins-array"', '"Subslice"', "lower-case words"),
        ('"leak"', '"fatal"', "Invalid enum value 'fatal'"),
        ('stage = "preview"', 'stge = "preview"', "stage|stge"),
        ("code =", "code", "line 1"),
    ],
)
def test_an_invalid_declaration_is_an_error_that_names_the_file(
    package: Path, old: str, new: str, message: str
) -> None:
    replace(package / _FOLDER / "pattern.toml", old, new)
    with pytest.raises(CorruptFile, match=message) as error:
        catalogue(package.name)
    assert error.value.path.endswith("pattern.toml")


def test_a_finding_of_a_pattern_carries_its_code_fix_and_fingerprint() -> None:
    pattern = catalogue()[0]
    chain = Chain(root="main.cache", links=("[key len 12]", ".body (len 5, cap 64)"), end="[64]byte")
    finding = pattern.finding(
        confidence=Confidence(level="proved", reason="seen"),
        route=Route(chain, ("main.cache",)),
        count=3,
        saving_bytes=59,
        hidden_bytes=59,
    )
    assert (finding.code, finding.holder, finding.fix) == (pattern.code, "main.cache", pattern.fix)
    assert len(finding.fingerprint) == 16


def test_the_fingerprint_does_not_change_with_the_length_of_a_list() -> None:
    chains = [
        Chain(root="main.l", links=(".root.next", *repeats, ".Value.([]uint8)"), end="[9]byte")
        for repeats in ((), (".next×13",), (".next", ".next"))
    ]
    prints = [fingerprint_of("a-pattern", c) for c in chains]
    assert prints[1] == prints[2] != prints[0]


def test_goroutines_of_one_function_are_named_once_and_long_lists_end_in_a_count() -> None:
    workers = [f"goroutine {n} [select] main.work" for n in range(3)]
    assert brief(workers) == ["goroutine 0 [select] main.work (and 2 more like it)"]
    assert brief([f"main.v{chr(97 + n)}" for n in range(9)])[4:] == ["main.ve", "4 more"]


def test_the_fingerprint_does_not_change_with_indexes_lengths_and_goroutine_ids() -> None:
    pattern, sure = catalogue()[0], Confidence(level="proved", reason="seen")
    chains = [
        Chain(
            root=f"goroutine {n} [select] main.work", links=(f"[{n}]", f".b (len {n}, cap 9)"), end="[9]byte"
        )
        for n in (1, 22)
    ]
    prints = {
        pattern.finding(confidence=sure, route=Route(c, (c.root,)), count=1, saving_bytes=1).fingerprint
        for c in chains
    }
    assert len(prints) == 1
