"""Another revision of a package's repository, checked out where nobody sees it.

A work tree of ``git worktree`` would be listed while it is there, and longer if we are killed. Here the
revision is read into an index of our own (GIT_INDEX_FILE) and its files are written to a temporary directory:
nothing in the user's repository is written, not his tree, index, stash or list of work trees. Imports
``model`` and the standard library.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from goretain.model.errors import UsageError

#: A hook (pre-push) has these set, for its own repository; those of git's object store stay.
_LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")
#: No program of the user's is started for an index that is not his.
_SETTINGS = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
#: That his work tree is sparse is no reason to leave files out.
_WHOLE = ("-c", "core.sparseCheckout=false")
#: Seconds: of a question, and of writing a tree, which may have to be fetched first (partial clones).
_ASK, _WRITE = 60.0, 1800.0
_GITLINK = "160000"


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision of a repository.

    Attributes:
        name: as it was given; commit: its full name.
        top: of the work tree.
    """

    name: str
    commit: str
    top: Path

    def place(self, directory: Path) -> Path:
        """A directory of the work tree, relative to its top.

        Raises:
            UsageError: it is in another repository.
        """
        try:
            return directory.resolve().relative_to(self.top)
        except ValueError:
            raise UsageError(
                f"{directory} is not in the repository of {self.top}",
                hint="--compare takes packages of one repository",
            ) from None


def find_revision(package: Path, name: str) -> Revision:
    """What a name means in the repository that a package's directory is in.

    Raises:
        UsageError: git is not there, the directory is in no repository, or nothing has that name.
    """
    top = Path(_ask(package, "rev-parse", "--show-toplevel")).resolve()
    commit = "" if name.startswith("-") else _commit(package, name)
    if not commit:
        raise _unknown(package, name)
    return Revision(name, commit, top)


def _commit(folder: Path, name: str) -> str:
    """The full name of a commit; "" where nothing has that name."""
    return _git(folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").stdout.strip()


def _unknown(package: Path, name: str) -> UsageError:
    shallow = _git(package, "rev-parse", "--is-shallow-repository").stdout.strip() == "true"
    if _commit(package, f"origin/{name}"):
        hint = f"perhaps origin/{name} is meant"
    elif shallow:
        hint = (
            f"this is a shallow clone, which has few commits: git fetch --depth=1 origin {name} and --compare"
            " FETCH_HEAD, or git fetch --unshallow (fetch-depth: 0 of actions/checkout)"
        )
    else:
        hint = "name a commit, branch or tag, as git log --oneline shows it; git fetch brings newer ones"
    return UsageError(f"git knows no revision {name!r} here", hint=hint)


@contextmanager
def checked_out(revision: Revision) -> Iterator[Path]:
    """The directory with the files of a revision, as its work tree had them; it goes when the context ends.

    Submodules have the commit that the revision names, where the user's clone of them has it; else they are
    empty, as after ``git clone``.

    Raises:
        UsageError: the files cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="goretain-base-") as scratch:
        tree = Path(scratch).resolve() / "tree"
        tree.mkdir()
        _write(revision.top, revision.commit, tree, Path(scratch) / "index")
        yield tree


def _write(repository: Path, commit: str, tree: Path, index: Path) -> None:
    """The files of a commit below ``tree``, and those of its submodules."""
    own = {"GIT_INDEX_FILE": str(index)}
    for arguments in (
        (*_WHOLE, "read-tree", commit),
        (*_WHOLE, "checkout-index", "--all", "--force", f"--prefix={tree}{os.sep}"),
    ):
        done = _git(repository, *arguments, extra=own, timeout=_WRITE)
        if done.returncode != 0:
            raise UsageError(
                f"the files of {commit[:12]} cannot be written: {_last(done.stderr)}",
                hint="check free space in the temporary directory (TMPDIR)",
            )
    listed = _git(repository, "ls-files", "--stage", "-z", extra=own, timeout=_WRITE).stdout
    index.unlink()
    for entry in listed.split("\0"):
        if entry.startswith(_GITLINK):
            facts, _, path = entry.partition("\t")
            _write_submodule(repository / path, facts.split()[1], tree / path, index)


def _write_submodule(clone: Path, commit: str, tree: Path, index: Path) -> None:
    """A submodule's files, if the user has cloned it and has that commit."""
    known = (clone / ".git").exists() and _git(clone, "cat-file", "-e", commit).returncode == 0
    if known:
        tree.mkdir(parents=True, exist_ok=True)
        _write(clone, commit, tree, index)


def uncommitted(package: Path) -> bool:
    """Whether the work tree that a package is in has changes that are in no commit, new files included."""
    return bool(_ask(package, "status", "--porcelain", "--untracked-files=normal"))


def head(package: Path) -> str:
    """The commit that the work tree of a package is at; "" where there is none yet."""
    return _commit(package, "HEAD")


def _ask(folder: Path, *arguments: str) -> str:
    """One answer of git.

    Raises:
        UsageError: there is none.
    """
    done = _git(folder, *arguments)
    if done.returncode == 0:
        return done.stdout.removesuffix("\n")
    said = _last(done.stderr)
    if "dubious ownership" in done.stderr:
        raise UsageError(
            f"git does not trust the repository of {folder}, which another user owns",
            hint=f"if you do: git config --global --add safe.directory {folder}",
        )
    if "not a git repository" in done.stderr:
        raise UsageError(
            f"{folder} is in no git repository, so there is nothing to compare with",
            hint="leave --compare out, or run in a clone",
        )
    raise UsageError(f"git {arguments[0]}: {said}", hint="--compare needs a git repository with a work tree")


def _git(
    folder: Path, *arguments: str, extra: dict[str, str] | None = None, timeout: float = _ASK
) -> subprocess.CompletedProcess[str]:
    """Git, run in a directory.

    Raises:
        UsageError: there is no git, or it took too long.
    """
    git = shutil.which("git")
    if git is None:
        raise UsageError("--compare needs git, which is not on PATH", hint="install git")
    environment = {name: value for name, value in os.environ.items() if name not in _LOCAL}
    # a status must not even refresh the user's index
    environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", **(extra or {})}
    try:
        return subprocess.run(
            [git, *_SETTINGS, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(
            f"git {arguments[0]} took more than {timeout:.0f} s", hint="try it by hand in this directory"
        ) from None


def _last(said: str) -> str:
    """The last line of what git printed."""
    lines = said.strip().splitlines()
    return lines[-1].removeprefix("fatal: ") if lines else "it said nothing"
