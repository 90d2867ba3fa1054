"""Machine code of kernels is found again, in the user's cache; what is in the way of that costs time only."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import goretain
from goretain.model import places
from goretain.model.places import user_cache

#: Runs one kernel; prints how many had to be compiled, the answer, and where numba would put other code.
SCRIPT = """
import numpy as np
{before}
from goretain.kernels.compiling import on_compile
from goretain.kernels.sorting import sort_by
import numba
compiled = []
with on_compile(lambda: compiled.append(1)):
    order = np.arange(4, dtype=np.uint32)
    sort_by(order, np.array([2, 0, 1, -1]))
print(len(compiled), *order, repr(numba.config.CACHE_DIR))
"""
ANSWER = "3 1 2 0 ''"


def start(cache: Path, before: str = "", **environment: str) -> subprocess.Popen[str]:
    """A process of its own with that XDG_CACHE_HOME."""
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(before=before)],
        env={**os.environ, "XDG_CACHE_HOME": str(cache), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """How many kernels a process compiled, and the rest of its line; nothing is on stderr."""
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    compiled, _, rest = out.strip().partition(" ")
    return int(compiled), rest


def code(cache: Path) -> list[Path]:
    """Files of machine code."""
    return sorted((cache / "goretain" / "kernels").rglob("*.nbc"))


def test_a_second_process_finds_what_the_first_compiled_in_the_users_cache(tmp_path: Path) -> None:
    compiled, answer = ended(start(tmp_path))
    assert compiled > 0
    assert answer == ANSWER
    assert len(code(tmp_path)) == compiled
    assert ended(start(tmp_path)) == (0, ANSWER)


def test_another_installation_of_the_same_sources_finds_it_whatever_their_time(tmp_path: Path) -> None:
    sources = Path(goretain.__file__).parent
    other = tmp_path / "other"
    shutil.copytree(sources, other / "goretain", copy_function=shutil.copyfile)
    compiled, _ = ended(start(tmp_path))
    assert compiled > 0
    assert ended(start(tmp_path, PYTHONPATH=str(other))) == (0, ANSWER)
    assert ended(start(tmp_path)) == (0, ANSWER)


def test_two_processes_may_be_the_first(tmp_path: Path) -> None:
    both = [start(tmp_path), start(tmp_path)]
    assert [ended(process)[1] for process in both] == [ANSWER, ANSWER]
    assert ended(start(tmp_path)) == (0, ANSWER)


def test_a_writer_that_does_not_end_holds_nobody_up(tmp_path: Path) -> None:
    compiled, _ = ended(start(tmp_path))
    for path in code(tmp_path):
        path.unlink()
    (folder,) = (tmp_path / "goretain" / "kernels").iterdir()
    with (folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert ended(start(tmp_path)) == (compiled, ANSWER)
    assert code(tmp_path) == []


def test_damaged_files_are_made_anew(tmp_path: Path) -> None:
    compiled, _ = ended(start(tmp_path))
    files = [*code(tmp_path), *(tmp_path / "goretain" / "kernels").rglob("*.nbi")]
    for keep in (0, 40):
        for path in files:
            os.truncate(path, keep)
        assert ended(start(tmp_path)) == (compiled, ANSWER)
        assert ended(start(tmp_path)) == (0, ANSWER)


def test_a_cache_that_cannot_be_written_costs_the_compilation_only(tmp_path: Path) -> None:
    nowhere = (
        "from pathlib import Path; from goretain.model import places\n"
        "places.user_cache = lambda: Path('/dev/null/goretain')"
    )
    compiled, answer = ended(start(tmp_path, nowhere))
    assert compiled > 0
    assert answer == ANSWER


def test_a_cache_that_is_full_costs_the_compilation_only(tmp_path: Path) -> None:
    full = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))"
    )
    compiled, answer = ended(start(tmp_path, full))
    assert compiled > 0
    assert answer == ANSWER
    assert ended(start(tmp_path)) == (compiled, ANSWER)


def test_numbas_own_variable_goes_first(tmp_path: Path) -> None:
    ended(start(tmp_path / "ours", NUMBA_CACHE_DIR=str(tmp_path / "theirs")))
    assert code(tmp_path / "ours") == []
    assert list((tmp_path / "theirs").rglob("*.nbc"))


def test_code_of_sources_long_gone_is_deleted(tmp_path: Path) -> None:
    kernels = tmp_path / "goretain" / "kernels"
    for age in range(10):
        (kernels / f"old{age}").mkdir(parents=True)
        os.utime(kernels / f"old{age}", (1_000_000 - age, 1_000_000 - age))
    ended(start(tmp_path))
    assert {f"old{age}" for age in range(7)} == {
        path.name for path in kernels.iterdir() if path.name.startswith("old")
    }


def test_code_that_is_in_use_outlives_code_that_was_compiled_later(tmp_path: Path) -> None:
    ended(start(tmp_path))
    (folder,) = (tmp_path / "goretain" / "kernels").iterdir()
    os.utime(folder, (1_000_000, 1_000_000))
    assert ended(start(tmp_path)) == (0, ANSWER)
    assert folder.stat().st_mtime > 1_000_000


@pytest.fixture
def no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service account: no home, only a temporary directory."""
    monkeypatch.setenv("HOME", "/dev/null")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    places._for_this_run.cache_clear()
    return tmp_path


def test_without_a_home_every_run_has_the_same_cache(no_home: Path) -> None:
    assert user_cache() == user_cache() == no_home / f"goretain-{os.geteuid()}"
    assert stat.S_IMODE(user_cache().stat().st_mode) == 0o700


def test_a_directory_that_others_may_write_to_is_not_trusted_with_machine_code(no_home: Path) -> None:
    mine = user_cache()
    mine.chmod(0o777)
    other = user_cache()
    assert other != mine
    assert other.parent == no_home
    assert user_cache() == other  # one for the run, not one for each call


def test_a_directory_of_another_user_is_not_trusted_with_machine_code(
    no_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = user_cache()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    mine.rename(no_home / f"goretain-{os.geteuid()}")
    assert user_cache().name not in {mine.name, f"goretain-{os.geteuid()}"}
