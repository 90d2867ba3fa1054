"""Targets in containers: seen from outside, from a container beside them and from inside.

Engines make containers of namespaces; unshare, chroot and mount make the same ones here. The totals that the
target counts itself must come out every time.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from goretain.capture.rights.namespaces import open_inside
from tests.support.containers import Contained, contained, needs
from tests.support.golang import VERSIONS, Target, go_program
from tests.support.threads import tracers

VERSION = "1.26.6"
GORETAIN = [sys.executable, "-m", "goretain.cli.main"]
IN_PID_NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]

pytestmark = needs("unshare", "nsenter", "chroot", "mount")


def program() -> Path:
    """A static Go program that counts its heap."""
    return go_program("exact", VERSION)


def goretain(*arguments: str | int, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run goretain, perhaps in other namespaces: ``before`` is what enters them."""
    command = [*before, *GORETAIN, *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def check(done: subprocess.CompletedProcess[str], target: Target, pid: int) -> None:
    """Hold a report to what the target says of itself."""
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    heap = report["heap"]
    found = heap["reachable_bytes"] + heap["unswept_bytes"] + heap["unreached_bytes"]
    assert found == target.fact("HeapAlloc")
    assert report["look"]["pid"] == pid
    assert report["look"]["go_version"].startswith(f"go{VERSION}")


@pytest.fixture
def pod() -> Iterator[Contained]:
    """A program that is process 1 of its own PID namespace."""
    with contained([*IN_PID_NAMESPACE, "--net", "--uts", "--ipc", program(), "quiet"], "exact") as one:
        yield one


@pytest.mark.parametrize(
    "command",
    [
        [*IN_PID_NAMESPACE, "--net", "--uts", "--ipc", "--cgroup"],
        [*IN_PID_NAMESPACE, "--user", "--map-root-user", "--net"],
        [*IN_PID_NAMESPACE, *IN_PID_NAMESPACE, "--user", "--map-user=1000", "--map-group=1000"],
    ],
    ids=["namespaces", "user-namespace", "nested"],
)
def test_a_target_in_a_container_is_read_from_outside(command: list[str]) -> None:
    with contained([*command, program(), "quiet"], "exact") as pod:
        assert pod.inside[-1] == 1
        check(goretain("why", pod.pid, "--json"), pod.target, pod.pid)
        assert tracers(pod.pid) == {0}


def test_a_container_beside_the_target_shares_only_its_pid_namespace(pod: Contained) -> None:
    """What kubectl debug --target does: the PIDs of the target, a root directory and /proc of our own."""
    beside = ["nsenter", "--pid", "--target", str(pod.pid), "unshare", "--mount", "--mount-proc"]
    check(goretain("why", 1, "--json", before=beside), pod.target, 1)


def test_goretain_in_the_targets_own_container_reads_it() -> None:
    shell = f"{program()} quiet & {' '.join(GORETAIN)} why $! --json; kill -9 $!"
    command = [*IN_PID_NAMESPACE, "sh", "-c", shell]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert json.loads(done.stdout)["look"]["pid"] == 2


def test_a_proc_of_another_pid_namespace_is_refused_and_not_believed(pod: Contained) -> None:
    done = goretain("why", 1, before=["nsenter", "--pid", "--target", str(pod.pid)])
    assert done.returncode == 2
    assert "/proc belongs to another PID namespace than goretain" in done.stderr
    assert "mount -t proc proc /proc" in done.stderr


def test_a_pid_from_inside_the_container_is_told_as_it_is_outside(pod: Contained) -> None:
    done = goretain("why", 1)  # a process here too, but none of Go
    assert done.returncode == 2
    assert f"what a container calls process 1 is here process {pod.pid} (exact)" in done.stderr


def test_a_pid_that_only_a_container_knows_is_told_as_it_is_outside() -> None:
    script = f"echo 4100000 > /proc/sys/kernel/ns_last_pid; {program()} quiet & wait"
    with contained([*IN_PID_NAMESPACE, "sh", "-c", script], "exact") as pod:
        assert pod.inside == [4100001]
        done = goretain("why", 4100001)
        assert "no process has PID 4100001" in done.stderr
        assert f"what a container calls process 4100001 is here process {pod.pid} (exact)" in done.stderr


@pytest.fixture
def distroless(tmp_path: Path) -> Iterator[tuple[Contained, Path]]:
    """A program in a root directory that only its own mount namespace has, with nothing else in it."""
    root = tmp_path / "root"
    root.mkdir()
    script = (
        f"mount -t tmpfs none {root} && cp {program()} {root}/app && mkdir -p {root}/lib {root}/etc"
        f" && echo secret > {root}/lib/plugin.so && ln -s /lib/plugin.so {root}/etc/link"
        f" && ln -s /../../../../{Path(__file__)} {root}/etc/outside && exec chroot {root} /app quiet"
    )
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "sh", "-c", script]
    with contained(command, "app") as pod:
        yield pod, root


def test_a_distroless_container_is_read_from_outside(distroless: tuple[Contained, Path]) -> None:
    pod, root = distroless
    assert not (root / "app").exists()
    check(goretain("why", pod.pid, "--json"), pod.target, pod.pid)


def test_files_of_the_targets_mount_namespace_are_opened_below_its_root(
    distroless: tuple[Contained, Path],
) -> None:
    pod, _ = distroless
    for path in ("/lib/plugin.so", "lib/../lib/plugin.so", "/etc/link"):
        fd = open_inside(pod.pid, path)
        assert os.pread(fd, 6, 0) == b"secret"
        os.close(fd)
    for path in ("/etc/outside", "/lib", "/nowhere"):
        with pytest.raises(OSError):
            open_inside(pod.pid, path)


IN_MOUNT_NAMESPACE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c"]


@needs("objcopy")
def test_a_debug_file_that_only_the_container_has_is_found(tmp_path: Path) -> None:
    app, debug, root = tmp_path / "app", tmp_path / "app.debug", tmp_path / "root"
    root.mkdir()
    subprocess.run(["objcopy", "--only-keep-debug", program(), debug], check=True)
    subprocess.run(["objcopy", "--strip-all", f"--add-gnu-debuglink={debug}", program(), app], check=True)
    script = f"mount -t tmpfs none {root} && mv {app} {debug} {root} && exec chroot {root} /app quiet"
    with contained([*IN_MOUNT_NAMESPACE, script], "app") as pod:
        done = goretain("doctor", pod.pid, "--json")
        found = {check["name"]: check["found"] for check in json.loads(done.stdout)["checks"]}
        inside = Path("/proc", str(pod.pid), "root", "app.debug")
        assert found["debug info"] == f"in {inside}"
        assert "no symbols" in found["linked"]
        check(goretain("why", pod.pid, "--json"), pod.target, pod.pid)


@pytest.mark.parametrize("deleted", [False, True], ids=["there", "deleted"])
def test_a_plugin_that_only_the_container_has_is_named(tmp_path: Path, deleted: bool) -> None:
    plugin = go_program("pluginpart", VERSIONS[-1], flags=["-buildmode=plugin"], cgo=True)
    host = go_program("pluginhost", VERSIONS[-1], cgo=True)
    part = tmp_path / "part.so"
    script = f"mount -t tmpfs none {tmp_path} && cp {plugin} {part} && exec {host} {part}"
    with contained([*IN_MOUNT_NAMESPACE, script], "pluginhost") as pod:
        if deleted:
            subprocess.run(["nsenter", "--mount", "--target", str(pod.pid), "rm", part], check=True)
        done = goretain("why", pod.pid, "--json", "--top", "1000")
        names = {row["name"] for row in json.loads(done.stdout)["holders"]}
        assert "goretain.test/zoo/pluginpart.records" in names


@pytest.mark.parametrize("change", ["deleted", "replaced", "unmounted"])
def test_a_program_on_an_overlay_is_read_after_its_file_has_gone(tmp_path: Path, change: str) -> None:
    layers = {name: tmp_path / name for name in ("lower", "upper", "work", "merged")}
    for folder in layers.values():
        folder.mkdir()
    shutil.copy(program(), layers["lower"] / "app")
    options = ",".join(f"{name}dir={layers[name]}" for name in ("lower", "upper", "work"))
    merged = layers["merged"]
    script = f"mount -t overlay overlay -o {options} {merged} && exec {merged}/app quiet"
    after = {
        "deleted": f"rm {merged}/app",
        "replaced": f"cp /bin/true {merged}/new && mv {merged}/new {merged}/app",
        "unmounted": f"umount -l {merged}",
    }[change]
    with contained(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script], "app"
    ) as pod:
        inside = ["nsenter", "--mount", "--target", str(pod.pid), "sh", "-c", after]
        subprocess.run(inside, check=True)
        check(goretain("why", pod.pid, "--json"), pod.target, pod.pid)


STATIC = ["-ldflags=-linkmode=external -extldflags=-static"]
STATIC_PIE = ["-buildmode=pie", "-ldflags=-linkmode=external -extldflags=-static-pie"]


@pytest.mark.parametrize(
    ("flags", "cgo", "compiler"),
    [
        pytest.param(["-buildmode=pie"], False, "", id="pie"),
        pytest.param(STATIC, True, "", id="cgo-static"),
        pytest.param(STATIC_PIE, True, "", id="static-pie"),
        pytest.param(STATIC, True, "musl-gcc", id="musl-static"),
        pytest.param(["-ldflags=-linkmode=external"], True, "musl-gcc", id="musl"),
    ],
)
def test_every_way_to_link_is_read(flags: list[str], cgo: bool, compiler: str) -> None:
    if compiler and shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    binary = go_program("exact", VERSION, flags=flags, cgo=cgo, compiler=compiler)
    with contained([binary, "quiet"], "exact") as pod:
        check(goretain("why", pod.pid, "--json"), pod.target, pod.pid)
