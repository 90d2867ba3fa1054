"""What the folders of the remedies declare."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from goretain.model.errors import CorruptFile, UsageError
from goretain.patterns.catalogue import catalogue
from goretain.remedies import catalogue as remedies_catalogue
from goretain.remedies import find_remedy, remedies, support_file

ROOT = Path(__file__).resolve().parents[3]


def test_every_remedy_of_the_issue_is_there() -> None:
    assert {remedy.name for remedy in remedies()} >= {
        "bounded-cache",
        "buffer-pool",
        "clone-helpers",
        "immutable-map",
        "managed-map",
        "map-pool",
        "map-ref",
        "map-view",
        "must-collect",
        "must-not-grow",
        "request-context",
        "sharded-map",
        "shrinking-map",
    }


@pytest.mark.parametrize("remedy", remedies(), ids=lambda remedy: remedy.name)
def test_a_remedy_is_whole(remedy: remedies_catalogue.Remedy) -> None:
    assert set(remedy.patterns) <= {pattern.code for pattern in catalogue()}
    assert all(re.fullmatch(r"[A-DX]\d\d", claim) for claim in remedy.claims)
    tests = "\n".join(file.text for file in remedy.files if file.is_test)
    assert "\nfunc Test" in tests
    naive = re.findall(r'b\.Run\("(\w+)/naive"', tests)
    assert naive
    assert naive == re.findall(r'b\.Run\("(\w+)/remedy"', tests)
    assert "\n```go\n" in remedy.text
    for file in remedy.files:
        assert file.text.count("\n") <= 250, file.name
        assert "\npackage remedies\n" in f"\n{file.text}"
        imported = re.findall(r'^\t?(?:import )?"([^"]+)"$', file.text, re.MULTILINE)
        assert all("." not in path for path in imported), "of the standard library alone"
        assert ("testing" in imported) <= (file.is_test or remedy.kind == "test")


def test_files_of_all_remedies_fit_into_one_folder() -> None:
    names = [file.name for remedy in remedies() for file in remedy.files] + [support_file().name]
    assert len(set(names)) == len(names)


def test_what_is_required_requires_nothing() -> None:
    for remedy in remedies():
        assert all(find_remedy(name).requires == () for name in remedy.requires)


def test_an_unknown_name_is_answered_with_what_was_meant() -> None:
    with pytest.raises(UsageError) as wrong:
        find_remedy("mapref")
    assert wrong.value.hint == "did you mean map-ref?"
    with pytest.raises(UsageError) as wrong:
        find_remedy("?")
    assert "map-ref" in wrong.value.hint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of one remedy, to be spoilt."""
    made = tmp_path / "map_view"
    made.mkdir()
    remedy = find_remedy("map-view")
    for file in remedy.files:
        (made / file.name).write_text(file.text)
    (made / "doc.md").write_text(remedy.text)
    source = ROOT / "src" / "goretain" / "remedies" / "map_view" / "remedy.toml"
    (made / "remedy.toml").write_text(source.read_text())
    return made


def test_a_folder_is_read(folder: Path) -> None:
    read = remedies_catalogue._read(folder)
    assert msgspec.structs.replace(read, files=(), text="") == msgspec.structs.replace(
        find_remedy("map-view"), files=(), text=""
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("remedy.toml", 'kind = "code"', 'kind = "magic"', "Invalid enum value 'magic'"),
        ("remedy.toml", 'name = "map-view"', 'name = "MapView"', "not lower-case words"),
        ("remedy.toml", 'name = "map-view"', 'name = "map-views"', "does not match its folder"),
        ("remedy.toml", 'go = "1.21"', 'go = "latest"', "not a release line"),
        ("remedy.toml", "title", "tite", "tite"),
        ("doc.md", "## Limits", "## Bounds", "its sections are not"),
    ],
)
def test_a_spoilt_folder_is_an_error_that_names_the_file(
    folder: Path, file: str, old: str, new: str, said: str
) -> None:
    path = folder / file
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(CorruptFile, match=re.escape(said)) as wrong:
        remedies_catalogue._read(folder)
    assert wrong.value.path == str(path)


@pytest.mark.parametrize("missing", ["doc.md", "map_view.go", "map_view_test.go"])
def test_a_folder_that_lacks_a_file_is_an_error(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(CorruptFile, match=f"has no {missing}"):
        remedies_catalogue._read(folder)
