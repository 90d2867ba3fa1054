"""Finding the memory limits of a process, in trees as the kernel shows them in containers and outside.

Trees of files stand for what this machine does not have; the cgroups that it has are asked for real.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from goretain.capture.room import cgroups
from tests.support.cgroup import memory_cgroup

V2 = "cgroup2 cgroup2 rw,nsdelegate"


def process(proc: Path, pid: str, cgroup: str, mounts: list[tuple[Path, str, str]]) -> None:
    """A /proc/PID with a cgroup file and a mountinfo of (where, root, type and options)."""
    (proc / pid).mkdir(parents=True)
    (proc / pid / "cgroup").write_text(cgroup)
    lines = [
        f"{30 + number} 23 0:{40 + number} {root} {str(point).replace(' ', chr(92) + '040')} rw,relatime"
        f" shared:9 - {kind}\n"
        for number, (point, root, kind) in enumerate(mounts)
    ]
    (proc / pid / "mountinfo").write_text("".join(lines))


def folder(path: Path, **files: str) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (path / name.replace("_", ".", 1)).write_text(text + "\n")
    return path


def limits(proc: Path, pid: str = "self") -> list[cgroups.Limit]:
    return cgroups.limits(cgroups.memory_folders(pid, proc))


def found(proc: Path, pid: str = "self") -> list[tuple[str, str, int]]:
    return [(limit.folder.name, limit.name, limit.limit - limit.used) for limit in limits(proc, pid)]


def test_every_ancestor_counts_and_max_is_no_limit(tmp_path: Path) -> None:
    top = tmp_path / "cgroup fs"  # mountinfo writes the blank as \\040
    folder(top / "pod", memory_max="1000", memory_current="600")
    folder(top / "pod" / "app", memory_max="max", memory_current="100", memory_high="700")
    process(tmp_path / "proc", "self", "0::/pod/app\n", [(top, "/", V2)])
    assert found(tmp_path / "proc") == [("app", "memory.high", 600), ("pod", "memory.max", 400)]


def test_a_container_without_a_namespace_sees_the_hosts_path_and_its_own_part_of_the_tree(
    tmp_path: Path,
) -> None:
    top = folder(tmp_path / "memory")
    (top / "memory.limit_in_bytes").write_text("1000")
    (top / "memory.usage_in_bytes").write_text("10")
    (top / "memory.stat").write_text("cache 1\nhierarchical_memory_limit 700\ntotal_inactive_file 5\n")
    process(
        tmp_path / "proc",
        "self",
        "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/docker/abc\n",
        [(tmp_path / "unified", "/docker/abc", V2), (top, "/docker/abc", "cgroup cgroup rw,memory")],
    )
    assert found(tmp_path / "proc") == [
        ("memory", "memory.limit_in_bytes", 990),
        ("memory", "hierarchical_memory_limit", 690),
    ]
    assert [limit.cache for limit in limits(tmp_path / "proc")] == [5, 5]


def test_the_largest_number_of_v1_is_no_limit(tmp_path: Path) -> None:
    top = folder(tmp_path / "memory")
    (top / "memory.limit_in_bytes").write_text("9223372036854771712")
    (top / "memory.usage_in_bytes").write_text("10")
    process(tmp_path / "proc", "self", "4:memory:/\n", [(top, "/", "cgroup cgroup rw,memory")])
    assert found(tmp_path / "proc") == []


def test_a_target_in_a_neighbouring_container_is_looked_for_under_its_own_mounts(tmp_path: Path) -> None:
    """Our namespace ends at our own cgroup, so the neighbour's is /../app; only its own mounts show it."""
    proc = tmp_path / "proc"
    ours = folder(tmp_path / "ours", memory_max="5000", memory_current="10")
    process(proc, "self", "0::/\n", [(ours, "/", V2)])
    process(proc, "77", "0::/../app\n", [(Path("/sys/fs/cgroup"), "/../app", V2)])
    theirs = folder(proc / "77" / "root" / "sys" / "fs" / "cgroup", memory_max="300", memory_current="100")
    assert cgroups.memory_folders("77", proc) == [theirs]
    assert found(proc, "77") == [("cgroup", "memory.max", 200)]
    assert found(proc) == [("ours", "memory.max", 4990)]


def test_a_mount_from_above_our_namespace_is_searched_for_the_process(tmp_path: Path) -> None:
    """The host's tree, shown in a container: our cgroup is somewhere in it under some name."""
    top = tmp_path / "host"
    folder(top / "other", memory_max="50", memory_current="10")
    (top / "other" / "cgroup.procs").write_text("1\n2\n")
    folder(top / "kubepods" / "x", memory_max="900", memory_current="100")
    (top / "kubepods" / "x" / "cgroup.procs").write_text(f"{os.getpid()}\n")
    process(tmp_path / "proc", "self", "0::/\n", [(top, "/../..", V2)])
    assert found(tmp_path / "proc") == [("x", "memory.max", 800)]


def test_without_proc_or_mounts_nothing_is_known(tmp_path: Path) -> None:
    assert limits(tmp_path) == []
    process(tmp_path, "self", "0::/a\n", [])
    assert limits(tmp_path) == []


def test_the_limit_of_a_real_cgroup_is_found_from_outside_inside_and_its_own_namespace() -> None:
    with memory_cgroup("limits") as cgroup:
        cgroup.limit(64 << 20)
        code = (
            "from goretain.capture.room import cgroups\n"
            "folders = cgroups.memory_folders()\n"
            "print(min(l.limit for l in cgroups.limits(folders)), folders[0], flush=True)\n"
            "input()\n"
        )
        for prefix in ([], ["unshare", "--cgroup"]):
            with subprocess.Popen(
                [*prefix, sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=cgroup.enter,  # noqa: PLW1509 (no threads here)
            ) as inside:
                assert inside.stdout is not None
                said = inside.stdout.readline().split()
                if prefix and not said:
                    pytest.skip("no cgroup namespace can be made here")
                assert said == [str(64 << 20), str(cgroup.folder)]
                folders = cgroups.memory_folders(inside.pid)
                assert min(limit.limit for limit in cgroups.limits(folders)) == 64 << 20
                assert folders[0] == cgroup.folder
                inside.communicate("\n")
