"""Who may capture what, and what the error says to those who may not: one right at a time.

Every case starts a target and a capturing process with exactly the users, capabilities and filters that it
names. What is captured is held to the totals that the target counts itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from goretain.capture.frozen.process import capture_process
from goretain.capture.image import Image
from goretain.capture.rights.privileges import SYS_PTRACE
from goretain.golang.read import read_heap
from tests.support.containers import (
    NOBODY,
    bounded,
    needs,
    no_new_privileges,
    refusing,
    said_by,
    set_capabilities,
    started_as,
    unshare,
    user,
)
from tests.support.golang import Target, go_program, running, wait_until_blocked
from tests.support.heaps import plan_for

VERSION = "1.26.6"
SOMEBODY = 65533
PTRACE, PROCESS_VM_READV = 101, 310
DAC_READ_SEARCH = 1 << 2
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000

pytestmark = needs("setcap", "unshare")


def program() -> Path:
    return go_program("exact", VERSION)


@pytest.fixture(scope="module", autouse=True)
def roots_own() -> Iterator[Target]:
    """A process of root; captured once, so that every module is imported while we may still read it."""
    # The runtime collects every two minutes, which changes what is counted; not without a GOGC.
    with running(program(), ["quiet"], env={"GOGC": "off"}) as target:
        wait_until_blocked(target.pid)
        bytes_of(target.pid)()
        yield target


@contextmanager
def opened_up(binary: Path) -> Iterator[Path]:
    """A copy of a program where everybody may start it, which is not below pytest's folders."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(shutil.copy(binary, folder))


@pytest.fixture
def public() -> Iterator[Path]:
    """The program where everybody may start it."""
    with opened_up(program()) as binary:
        yield binary


def bytes_of(pid: int) -> Callable[[], str]:
    """Work that captures a process and says its live and dead bytes, and notes.

    Not that it had to try again, which depends on what else the machine does.
    """

    def work() -> str:
        image: Image = capture_process(pid, plan_for)
        totals = read_heap(image).meta.totals
        notes = [note for note in image.facts.notes if "was given up" not in note]
        return f"{totals.live_bytes + totals.dead_bytes} {notes}"

    return work


def test_the_one_capability_is_enough_for_another_users_process(roots_own: Target) -> None:
    said = said_by(bytes_of(roots_own.pid), user(NOBODY, SYS_PTRACE))
    assert said == f"{roots_own.fact('HeapAlloc')} []"


def test_the_one_capability_is_enough_for_a_position_independent_program() -> None:
    pie = go_program("exact", VERSION, flags=["-buildmode=pie"])
    with running(pie, ["quiet"]) as target:
        wait_until_blocked(target.pid)
        assert said_by(bytes_of(target.pid), user(NOBODY, SYS_PTRACE)) == f"{target.fact('HeapAlloc')} []"


def test_a_permitted_capability_is_made_effective(roots_own: Target) -> None:
    """setcap cap_sys_ptrace=p: it starts without the capability, and takes it when it captures."""

    def permitted_only() -> None:
        user(NOBODY, SYS_PTRACE)()
        set_capabilities(0, SYS_PTRACE)

    assert said_by(bytes_of(roots_own.pid), permitted_only) == f"{roots_own.fact('HeapAlloc')} []"


def test_without_it_the_error_names_it_alone(roots_own: Target) -> None:
    said = said_by(bytes_of(roots_own.pid), user(NOBODY))
    assert said.startswith(f"PermissionDenied: the kernel does not let us trace process {roots_own.pid}: ")
    assert "it runs as user 0 and goretain as user 65534" in said
    hint = said.partition(" | ")[2]
    assert "CAP_SYS_PTRACE, the one capability that is missing" in hint
    assert hint.count("CAP_") == 1


def test_the_same_user_needs_no_capability(public: Path) -> None:
    with started_as(public, user(NOBODY)) as pid:
        assert said_by(bytes_of(pid), user(NOBODY)).endswith(" []")
        assert "user 65534 and goretain as user 65533" in said_by(bytes_of(pid), user(SOMEBODY))


def test_a_target_with_a_file_capability(public: Path) -> None:
    subprocess.run(["setcap", "cap_net_bind_service=ep", public], check=True)
    with started_as(public, user(NOBODY)) as pid:
        said = said_by(bytes_of(pid), user(NOBODY))
        assert "it has capabilities that goretain lacks: CAP_NET_BIND_SERVICE" in said
        assert "not dumpable" in said
        assert "CAP_SYS_PTRACE, the one capability that is missing" in said
        assert said_by(bytes_of(pid), user(NOBODY, SYS_PTRACE)).endswith(" []")


def test_a_setuid_target(public: Path) -> None:
    os.chown(public, SOMEBODY, SOMEBODY)
    public.chmod(0o4755)
    with started_as(public, user(NOBODY)) as pid:
        said = said_by(bytes_of(pid), user(NOBODY))
        assert "it runs as user 65533/65534 and goretain as user 65534" in said
        assert said_by(bytes_of(pid), user(NOBODY, SYS_PTRACE)).endswith(" []")


def test_a_target_that_may_be_traced_but_not_read_as_a_file(public: Path) -> None:
    public.chmod(0o711)
    with started_as(public, user(SOMEBODY)) as pid:
        said = said_by(bytes_of(pid), user(NOBODY, SYS_PTRACE))
        assert "may be traced, but the file of its program (mode 0711, owner 0) may not be read" in said
        assert "CAP_DAC_READ_SEARCH, the one capability that is missing" in said
        both = user(NOBODY, SYS_PTRACE | DAC_READ_SEARCH)
        assert said_by(bytes_of(pid), both).endswith(" []")


def test_a_capability_outside_the_bounding_set_can_only_come_from_outside(roots_own: Target) -> None:
    said = said_by(bytes_of(roots_own.pid), bounded(DAC_READ_SEARCH), user(NOBODY))
    assert "it is not in the bounding set" in said
    assert "docker run --cap-add=SYS_PTRACE" in said


def test_no_new_privileges_is_named(roots_own: Target) -> None:
    said = said_by(bytes_of(roots_own.pid), no_new_privileges, user(NOBODY))
    assert "no_new_privs (allowPrivilegeEscalation: false)" in said


@pytest.mark.parametrize(
    ("numbers", "names"),
    [([PTRACE], "ptrace"), ([PTRACE, PROCESS_VM_READV], "ptrace and process_vm_readv")],
)
def test_a_seccomp_filter_is_named_with_what_it_refuses(
    roots_own: Target, numbers: list[int], names: str
) -> None:
    said = said_by(bytes_of(roots_own.pid), refusing(*numbers))
    assert f"a seccomp filter refuses {names} to goretain" in said
    assert "seccomp=unconfined" in said
    assert "security module" not in said
    assert "the one capability that is missing" not in said


def test_only_process_vm_readv_filtered_is_no_hindrance_to_root(roots_own: Target) -> None:
    said = said_by(bytes_of(roots_own.pid), refusing(PROCESS_VM_READV))
    assert said == f"{roots_own.fact('HeapAlloc')} []"


def test_a_capability_in_a_user_namespace_does_not_count_outside_of_it(roots_own: Target) -> None:
    said = said_by(bytes_of(roots_own.pid), unshare(CLONE_NEWUSER))
    assert "it runs in another user namespace, where our CAP_SYS_PTRACE does not count" in said


def test_a_program_that_guards_its_memory_is_read_with_the_capability() -> None:
    """prctl(PR_SET_DUMPABLE, 0), as programs that hold keys do."""
    with opened_up(go_program("guarded", VERSION)) as guarded, started_as(guarded, user(NOBODY)) as pid:
        said = said_by(bytes_of(pid), user(NOBODY))
        assert "not dumpable" in said
        assert "the one capability that is missing" in said
        assert said_by(bytes_of(pid), user(NOBODY, SYS_PTRACE)).endswith(" []")


@pytest.mark.parametrize("level", [1, 2])
def test_a_process_that_proc_hides_is_not_said_to_be_none(roots_own: Target, level: int) -> None:
    def hide() -> None:
        unshare(CLONE_NEWNS)()
        for command in ("mount --make-rprivate /", f"mount -t proc -o hidepid={level} proc /proc"):
            subprocess.run(command.split(), check=True)

    said = said_by(bytes_of(roots_own.pid), hide, user(NOBODY))
    assert f"there is a process {roots_own.pid}, but /proc does not show it" in said
    assert said_by(bytes_of(roots_own.pid), hide, user(NOBODY, SYS_PTRACE)).endswith(" []")
