"""Where a remedy is copied to, as what package, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from goretain.model.errors import UsageError
from goretain.remedies import Added, add, find_remedy

VIEW = find_remedy("map-view")
REF = find_remedy("map-ref")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory in a module."""
    (tmp_path / "go.mod").write_text("module shop\n\ngo 1.21\n")
    made = tmp_path / "cache"
    made.mkdir()
    return made


def outcomes(added: Added) -> dict[str, str]:
    return {file.path.name: file.outcome for file in added.files}


def test_a_copy_says_where_it_is_from_and_is_of_the_package(folder: Path) -> None:
    added = add(VIEW, folder)
    assert (added.package, added.module) == ("cache", folder.parent / "go.mod")
    lines = (folder / "map_view.go").read_text().splitlines()
    assert lines[0].startswith("// Copied from goretain ")
    assert "(remedy map-view)" in lines[0]
    assert lines[2:4] == ["", "package cache"]
    assert "\n".join(lines[4:]) + "\n" == VIEW.files[0].text.partition("\n")[2]


def test_a_build_constraint_stays_before_the_package(folder: Path) -> None:
    add(find_remedy("must-collect"), folder)
    lines = (folder / "must_collect_go124.go").read_text().splitlines()
    assert lines[2:6] == ["", "//go:build go1.24", "", "package cache"]


def test_what_it_stands_on_and_tests_come_along(folder: Path) -> None:
    assert list(outcomes(add(REF, folder))) == ["shrinking_map.go", "map_ref.go"]
    assert outcomes(add(REF, folder, tests=True)) == {
        "shrinking_map.go": "unchanged",
        "shrinking_map_test.go": "written",
        "map_ref.go": "unchanged",
        "map_ref_test.go": "written",
        "remedies_test.go": "written",
    }
    assert not [path for path in folder.iterdir() if "package cache\n" not in path.read_text()]


def test_a_file_that_differs_is_not_replaced_unless_forced(folder: Path) -> None:
    add(REF, folder)
    mine = folder / "map_ref.go"
    mine.write_text("package cache\n")
    (folder / "shrinking_map.go").unlink()
    with pytest.raises(UsageError, match=r"map_ref.go is there and differs") as wrong:
        add(REF, folder)
    assert "--force" in wrong.value.hint
    assert mine.read_text() == "package cache\n"
    assert not (folder / "shrinking_map.go").exists(), "nothing is written when anything is refused"
    assert outcomes(add(REF, folder, force=True))["map_ref.go"] == "replaced"
    assert "type MapRef" in mine.read_text()


def test_what_it_stands_on_is_kept_as_somebody_made_it(folder: Path) -> None:
    other = folder / "shrinking_map.go"
    other.write_text("package cache\n\n// better\n")
    for force in (False, True):
        assert outcomes(add(REF, folder, force=force))["shrinking_map.go"] == "kept"
    assert other.read_text() == "package cache\n\n// better\n"


def test_a_newer_goretain_finds_its_own_copy_unchanged(folder: Path) -> None:
    add(VIEW, folder)
    path = folder / "map_view.go"
    path.write_text(path.read_text().replace("goretain ", "goretain 9.", 1))
    assert outcomes(add(VIEW, folder)) == {"map_view.go": "unchanged"}


@pytest.mark.parametrize(
    ("files", "package"),
    [
        ({"a.go": "package store\n"}, "store"),
        ({"a.go": "/*\npackage other\n*/\n\n// package comment\npackage store // here\n"}, "store"),
        ({"a.go": "package store\n", "gen.go": "//go:build ignore\n\npackage main\n"}, "store"),
        ({"a_test.go": "package store_test\n"}, "store"),
        ({"a.go": "package store\n", "b_test.go": "package store_test\n"}, "store"),
        ({"a.txt": "package other\n"}, "cache"),
        ({}, "cache"),
    ],
)
def test_the_package_is_that_of_the_files_there(folder: Path, files: dict[str, str], package: str) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    assert add(VIEW, folder).package == package


def test_a_new_directory_is_made_and_gives_its_name(folder: Path) -> None:
    place = folder / "internal" / "Leak-Test"
    assert add(VIEW, place).package == "leaktest"
    assert add(VIEW, folder / "go", package="maps").package == "maps"
    with pytest.raises(UsageError, match="does not say what its package is called"):
        add(VIEW, folder / "func")
    assert not (folder / "func").exists()


@pytest.mark.parametrize("name", ["", "a b", "map", "_", "a-b", "1st", "a\nb"])
def test_what_is_no_package_name_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is not the name of a Go package"):
        add(VIEW, folder, package=name)
    assert list(folder.iterdir()) == []


def test_another_package_than_the_one_there_is_refused(folder: Path) -> None:
    (folder / "a.go").write_text("package store\n")
    with pytest.raises(UsageError, match="are of package store, not cache"):
        add(VIEW, folder, package="cache")
    (folder / "b.go").write_text("package other\n")
    with pytest.raises(UsageError, match="are of package other, store"):
        add(VIEW, folder)


@pytest.mark.parametrize(
    ("module", "said"),
    [("module shop\n\ngo 1.20\n", "says go 1.20"), ("module shop\n", "says no Go version")],
)
def test_a_module_of_an_older_go_is_refused(folder: Path, module: str, said: str) -> None:
    (folder.parent / "go.mod").write_text(module)
    with pytest.raises(UsageError, match=said) as wrong:
        add(VIEW, folder)
    assert wrong.value.hint == "go mod edit -go=1.21"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("line", ["go 1.21", "go 1.27.3", "go 1.22 // why", "\tgo 2.0"])
def test_a_module_of_this_or_a_newer_go_will_do(folder: Path, line: str) -> None:
    (folder.parent / "go.mod").write_text(f"module shop\n\n{line}\n")
    assert add(VIEW, folder).module is not None


def test_a_place_that_cannot_be_written_to_is_an_error(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(UsageError, match="cannot save to"):
        add(VIEW, folder / "file" / "sub", package="sub")
    (folder / "map_view.go").symlink_to(folder / "nowhere" / "map_view.go")
    with pytest.raises(UsageError, match="cannot save to"):
        add(VIEW, folder)
