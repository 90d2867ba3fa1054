"""Another revision beside the user's work tree, of which nothing may change."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from goretain.gate.revisions import checked_out, find_revision, head, uncommitted
from goretain.model.errors import UsageError

WHO = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *WHO, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout


def commit(folder: Path, **files: str) -> str:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "x")
    return head(folder)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, go_mod="module m", a__a_go="package a", a__testdata__x_txt="1")
    git(folder, "tag", "v1")
    commit(folder, a__a_go="package a // changed", b__b_go="package b")
    return folder


def state(folder: Path) -> list[str]:
    """All that a user would see, and every file below .git with its content."""
    files = [p for p in sorted((folder / ".git").rglob("*")) if p.is_file()]
    asked = (("status", "--porcelain"), ("worktree", "list"), ("stash", "list"), ("branch", "-a"))
    shown = [git(folder, "--no-optional-locks", *arguments) for arguments in asked]
    return [*shown, *(f"{p} {p.stat().st_mtime_ns} {p.read_bytes()!r}" for p in files)]


def test_the_files_of_a_revision_beside_an_unchanged_repository(repository: Path) -> None:
    (repository / "a" / "a.go").write_text("dirty")
    (repository / "a" / "new.go").write_text("untracked")
    git(repository, "stash", "-q")
    (repository / "a" / "a.go").write_text("staged")
    git(repository, "add", "-A")
    before = state(repository)
    revision = find_revision(repository / "a", "v1")
    assert (revision.name, revision.place(repository / "a")) == ("v1", Path("a"))
    with pytest.raises(UsageError, match="not in the repository"):
        revision.place(repository.parent)
    with checked_out(revision) as tree:
        assert (tree / "a" / "a.go").read_text() == "package a"
        assert sorted(str(p.relative_to(tree)) for p in tree.rglob("*") if p.is_file()) == [
            "a/a.go",
            "a/testdata/x.txt",
            "go.mod",
        ]
        assert state(repository) == before
    assert not tree.parent.exists()
    assert state(repository) == before


def test_nothing_is_left_when_the_work_is_interrupted(repository: Path) -> None:
    with pytest.raises(KeyboardInterrupt), checked_out(find_revision(repository, "HEAD")) as tree:
        raise KeyboardInterrupt
    assert not tree.parent.exists()


def test_a_sparse_tree_and_the_settings_of_a_hook_change_nothing(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repository, "sparse-checkout", "set", "--no-cone", "/b/")
    assert not (repository / "a").exists()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    with checked_out(find_revision(repository / "b", "main")) as tree:
        assert (tree / "a" / "a.go").read_text() == "package a // changed"
    assert not (tmp_path / "index").exists()


def test_submodules_are_those_of_the_revision(repository: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "-q", "-b", "main")
    commit(library, l_go="package l")
    git(repository, "submodule", "--quiet", "add", str(library), "third")
    base = commit(repository, c_go="package c")
    commit(library, l_go="package l // newer")
    git(repository / "third", "pull", "-q", "origin", "main")
    commit(repository, c_go="package c // newer")
    with checked_out(find_revision(repository, base)) as tree:
        assert (tree / "third" / "l.go").read_text() == "package l"
    with checked_out(find_revision(repository, "HEAD")) as tree:
        assert (tree / "third" / "l.go").read_text() == "package l // newer"
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(repository), str(clone))
    with checked_out(find_revision(clone, base)) as tree:
        assert (tree / "c.go").exists()
        assert list((tree / "third").iterdir()) == []


def test_whether_anything_is_uncommitted(repository: Path) -> None:
    assert not uncommitted(repository / "a")
    (repository / "b" / "new.go").write_text("package b")
    assert uncommitted(repository / "a")


def refused(folder: Path, name: str) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        find_revision(folder, name)
    return caught.value.message, caught.value.hint


def test_revisions_that_are_none(repository: Path, tmp_path: Path) -> None:
    message, hint = refused(repository, "nothing")
    assert message == "git knows no revision 'nothing' here"
    assert "git log --oneline" in hint
    assert "no revision '--all'" in refused(repository, "--all")[0]
    git(repository, "branch", "side")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth=1", "--no-single-branch", repository.as_uri(), str(clone))
    assert refused(clone, "side")[1] == "perhaps origin/side is meant"
    assert "shallow clone" in refused(clone, "v1~7")[1]


def test_where_git_has_nothing_to_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "is in no git repository" in refused(tmp_path, "HEAD")[0]
    git(tmp_path, "init", "-q")
    assert head(tmp_path) == ""
    assert "no revision 'HEAD'" in refused(tmp_path, "HEAD")[0]
    bare = tmp_path / "bare"
    git(tmp_path, "init", "-q", "--bare", str(bare))
    assert "work tree" in refused(bare, "HEAD")[0]
    monkeypatch.setenv("PATH", os.devnull)
    assert "needs git" in refused(tmp_path, "HEAD")[0]
