"""Room for the copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from goretain.capture import limits
from goretain.model.errors import NotEnoughMemory


@pytest.fixture
def small_cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "memory.max").write_text("1000000000\n")
    (tmp_path / "memory.current").write_text("900000000\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 50000000\nactive_file 0\n")
    monkeypatch.setattr(limits, "_cgroups", lambda: [tmp_path])
    return tmp_path


def test_a_copy_that_fits_the_cgroup_is_let_through(small_cgroup: Path) -> None:
    limits.check_room(140_000_000)


def test_a_copy_larger_than_the_cgroup_leaves_is_refused_with_both_figures(small_cgroup: Path) -> None:
    with pytest.raises(NotEnoughMemory, match=r"needs 152 MiB and .* leaves 143 MiB") as caught:
        limits.check_room(160_000_000)
    assert "--force" in caught.value.hint


def test_a_cgroup_without_limit_leaves_what_the_machine_has(small_cgroup: Path) -> None:
    (small_cgroup / "memory.max").write_text("max\n")
    limits.check_room(160_000_000)
    with pytest.raises(NotEnoughMemory, match="this machine"):
        limits.check_room(1 << 60)


def test_our_own_cgroups_are_found_where_the_kernel_shows_them() -> None:
    assert all(folder.is_dir() for folder in limits._cgroups())
