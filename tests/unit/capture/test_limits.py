"""Room for the copy: which limits are asked, and what a refusal says."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from goretain.capture.room import cgroups, limits, reservation
from goretain.capture.room.limits import Need
from goretain.model.errors import NotEnoughMemory, ResourceLimit

MIB = 1 << 20


@pytest.fixture
def small_cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cgroup v2 of 1000 MiB of which 900 are in use, 50 of them page cache."""
    (tmp_path / "memory.max").write_text(f"{1000 * MIB}\n")
    (tmp_path / "memory.current").write_text(f"{900 * MIB}\n")
    (tmp_path / "memory.stat").write_text(f"anon 5\ninactive_file {50 * MIB}\nactive_file 0\n")
    monkeypatch.setattr(cgroups, "memory_folders", lambda _pid="self", _proc=None: [tmp_path])
    return tmp_path


def test_a_capture_takes_half_of_what_a_cgroup_leaves_and_not_a_byte_more(small_cgroup: Path) -> None:
    limits.check_room(Need(50 * MIB), os.getpid())
    with pytest.raises(NotEnoughMemory) as caught:
        limits.check_room(Need(50 * MIB + 1), os.getpid())
    assert caught.value.message == (
        f"the capture takes 50.0 MiB, more than half of the 100.0 MiB that memory.max of our cgroup"
        f" {small_cgroup} (1.0 GiB less 900.0 MiB in use) leaves"
    )
    assert "50.0 MiB of what is in use is page cache" in caught.value.hint
    assert "--force" in caught.value.hint


def test_working_memory_counts_beside_the_planned_bytes(small_cgroup: Path) -> None:
    with pytest.raises(NotEnoughMemory, match="takes 60"):
        limits.check_room(Need(40 * MIB, beside=20 * MIB), os.getpid())


def test_a_core_takes_all_that_is_left_and_the_page_cache(small_cgroup: Path) -> None:
    limits.check_room(Need(150 * MIB))
    with pytest.raises(NotEnoughMemory, match=r"takes 150\.0 MiB, more than the 150\.0 MiB that memory\.max"):
        limits.check_room(Need(150 * MIB + 1))


def test_where_the_kernel_would_slow_everybody_down_is_a_limit_too(small_cgroup: Path) -> None:
    (small_cgroup / "memory.high").write_text(f"{910 * MIB}\n")
    with pytest.raises(NotEnoughMemory, match=r"half of the 10\.0 MiB that memory\.high"):
        limits.check_room(Need(6 * MIB), os.getpid())


def test_a_cgroup_without_limit_leaves_what_the_machine_has(small_cgroup: Path) -> None:
    (small_cgroup / "memory.max").write_text("max\n")
    limits.check_room(Need(60 * MIB), os.getpid())
    with pytest.raises(NotEnoughMemory, match=r"that this machine leaves"):
        limits.check_room(Need(1 << 60), os.getpid())


@pytest.mark.usefixtures("small_cgroup")
def test_when_nothing_is_left_even_a_forced_capture_ends_before_the_kernel_kills(small_cgroup: Path) -> None:
    groups = limits.memory_cgroups(os.getpid())
    assert groups == {small_cgroup: "our"}
    limits.check_brim(groups)
    (small_cgroup / "memory.current").write_text(f"{1040 * MIB}\n")
    with pytest.raises(NotEnoughMemory, match=r"leaves 10\.0 MiB: nothing is left to try with"):
        limits.check_brim(groups)


def test_the_start_may_take_all_that_is_left_and_the_page_cache_but_no_more(small_cgroup: Path) -> None:
    limits.check_start(150 * MIB, MIB, force=False)
    with pytest.raises(
        NotEnoughMemory, match=r"to start, more than the 150\.0 MiB that memory\.max"
    ) as caught:
        limits.check_start(150 * MIB + 1, MIB, force=False)
    assert "--force" in caught.value.hint
    limits.check_start(150 * MIB + 1, MIB, force=True)


@pytest.mark.parametrize("command", ["snap", "why", "doctor"])
def test_a_tight_limit_of_data_is_told_before_the_libraries_run_into_it(command: str) -> None:
    words = [sys.executable, "-m", "goretain.cli.main", command, str(os.getpid())]
    words += ["-o", os.devnull] if command == "snap" else []
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (30_000 << 10, hard)),
    )
    assert done.returncode == 2
    assert "that RLIMIT_DATA (ulimit -d) leaves\nhint: raise it: ulimit -d unlimited\n" in done.stderr


def test_a_step_leaves_enough_of_what_was_looked_at_before_it() -> None:
    assert reservation._STEP * 2 <= limits.BRIM


def test_it_is_looked_at_once_for_many_pages_that_lie_together() -> None:
    destination = reservation.Reservation(64 * MIB)
    taken: list[int] = []

    def resident() -> int:
        return int(Path("/proc/self/smaps_rollup").read_text().partition("Anonymous:")[2].split()[0]) << 10

    try:
        every_64_kib = np.arange(0, 20 * MIB, 64 << 10)
        runs = np.concatenate((np.column_stack((every_64_kib, every_64_kib + 5000)), [(23 * MIB, 33 * MIB)]))
        destination.populate(runs, lambda: taken.append(resident()))
        taken.append(resident())
    finally:
        destination.free()
    assert len(taken) == 5 + 1
    assert max(np.diff(taken)) <= reservation._STEP + MIB


def test_where_the_kernel_ends_a_whole_cgroup_force_is_not_recommended(small_cgroup: Path) -> None:
    assert not cgroups.ends_with_us(os.getpid())
    (small_cgroup / "memory.oom.group").write_text("1\n")
    assert cgroups.ends_with_us(os.getpid())
    with pytest.raises(NotEnoughMemory) as caught:
        limits.check_room(Need(60 * MIB), os.getpid())
    assert "--force does not help" in caught.value.hint


def test_a_file_takes_half_of_the_free_space_of_its_disk(tmp_path: Path) -> None:
    about = os.statvfs(tmp_path)
    free = about.f_bavail * about.f_frsize
    limits.check_room(Need(1, file=free // 2 - 64 * MIB, output=tmp_path / "app.image"), os.getpid())
    with pytest.raises(NotEnoughMemory, match=f"that the file system of {tmp_path} leaves") as caught:
        limits.check_room(Need(1, file=free // 2 + 64 * MIB, output=tmp_path / "app.image"), os.getpid())
    assert "another disk" in caught.value.hint


def test_a_file_that_is_only_known_by_its_descriptor_is_on_a_disk_too(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        output = Path(f"/proc/self/fd/{out.fileno()}")
        limits.check_room(Need(1, file=MIB, output=output), os.getpid())
        with pytest.raises(NotEnoughMemory, match=f"that the file system of {tmp_path} leaves"):
            limits.check_room(Need(1, file=1 << 60, output=output), os.getpid())


def test_a_file_in_memory_counts_as_memory_beside_the_copy() -> None:
    shared = Path("/dev/shm")
    if limits.file_system(shared) != "tmpfs":
        pytest.skip("/dev/shm is no tmpfs here")
    available = limits.available_memory()
    assert available is not None
    part = available // 3  # twice a third is more than a half
    limits.check_room(Need(part, file=part, output=None), os.getpid())
    with pytest.raises(NotEnoughMemory, match="that this machine leaves"):
        limits.check_room(Need(part, file=part, output=shared / "app.image"), os.getpid())


@pytest.mark.parametrize(
    ("number", "name"), [(resource.RLIMIT_AS, "RLIMIT_AS"), (resource.RLIMIT_DATA, "RLIMIT_DATA")]
)
def test_our_own_limits_of_address_space_are_asked(number: int, name: str) -> None:
    soft, hard = resource.getrlimit(number)
    resource.setrlimit(number, (1 << 40, hard))
    try:
        limits.check_room(Need(1, space=1 << 39), os.getpid())
        with pytest.raises(NotEnoughMemory, match=rf"takes 1\.0 TiB.* that {name} \(ulimit") as caught:
            limits.check_room(Need(1, space=1 << 40), os.getpid())
        assert "ulimit" in caught.value.hint
    finally:
        resource.setrlimit(number, (soft, hard))


def test_the_largest_file_that_we_may_write_is_asked(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * MIB, hard))
    try:
        with pytest.raises(NotEnoughMemory, match=r"takes 64\.0 MiB, .* RLIMIT_FSIZE"):
            limits.check_room(Need(1, file=64 * MIB + 1, output=tmp_path / "app.image"), os.getpid())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_running_out_of_files_names_the_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(ResourceLimit, match="RLIMIT_NOFILE allows 3"), limits.explained():
            os.open("/proc/self/maps", os.O_RDONLY)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_we_go_first_if_memory_runs_out_and_only_as_long_as_we_capture() -> None:
    score = Path("/proc/self/oom_score_adj")
    before = score.read_text()
    with limits.first_to_go():
        assert score.read_text() == "1000\n"
    assert score.read_text() == before
