"""Runs targets the way container engines do, with unshare and chroot, and work of ours with chosen rights."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from goretain.capture import libc
from goretain.model.errors import GoretainError
from tests.support.golang import Target, running

NOBODY = 65534
_PR_SET_KEEPCAPS, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 8, 24, 38, 22
_LAST_CAPABILITY = 40


def needs(*tools: str) -> pytest.MarkDecorator:
    """Skip a test where it is not run by root or where a tool is missing."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    reason = f"needs {', '.join(missing)}" if missing else "making containers takes root"
    return pytest.mark.skipif(bool(missing) or os.geteuid() != 0, reason=reason)


@dataclass(frozen=True, slots=True)
class Contained:
    """A program in namespaces of its own.

    Attributes:
        pid: here. inside: its PIDs in the namespaces below ours, outermost first. target: what runs it.
    """

    pid: int
    inside: list[int]
    target: Target


@contextmanager
def contained(command: Sequence[str | Path], program: str) -> Iterator[Contained]:
    """Run a command that starts a Go program below it, wait for READY, hand out where the program is.

    Args:
        command: the first word is searched for on PATH; what it starts must end with it.
        program: the comm of the Go program.
    """
    tool = shutil.which(str(command[0]))
    assert tool is not None
    with running(Path(tool), [str(word) for word in command[1:]]) as target:
        pid = _below(target.pid, program)
        yield Contained(pid, _nested(pid), target)


def _nested(pid: int) -> list[int]:
    line = next(x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("NSpid:"))
    return [int(number) for number in line.split()[2:]]


def _below(pid: int, program: str) -> int:
    """The process of that name among a process and its descendants."""
    queue = [pid]
    while queue:
        one = queue.pop(0)
        if Path(f"/proc/{one}/comm").read_text().strip() == program:
            return one
        for task in Path(f"/proc/{one}/task").iterdir():
            queue += [int(child) for child in (task / "children").read_text().split()]
    raise AssertionError(f"no {program} below process {pid}")


def said_by(work: Callable[[], object], *prepare: Callable[[], None]) -> str:
    """Run work in a child process after preparing it there; what it returned, or the error it raised."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            for step in prepare:
                step()
            said = str(work())
        except GoretainError as error:
            said = f"{type(error).__name__}: {error.message} | {error.hint}"
        except BaseException as error:
            said = repr(error)
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def user(number: int, capabilities: int = 0) -> Callable[[], None]:
    """Become a user that has exactly these capabilities."""

    def step() -> None:
        _prctl(_PR_SET_KEEPCAPS, 1)
        os.setgroups([])
        os.setresgid(number, number, number)
        os.setresuid(number, number, number)
        set_capabilities(capabilities, capabilities)

    return step


def set_capabilities(effective: int, permitted: int) -> None:
    """The capability sets of this thread."""
    low, high = (1 << 32) - 1, 32
    data = (effective & low, permitted & low, 0, effective >> high, permitted >> high, 0)
    libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*data))


def bounded(capabilities: int) -> Callable[[], None]:
    """Take every other capability out of the bounding set: what an engine does to a container."""

    def step() -> None:
        for number in range(_LAST_CAPABILITY + 1):
            if not capabilities >> number & 1:
                _prctl(_PR_CAPBSET_DROP, number)

    return step


def no_new_privileges() -> None:
    """What allowPrivilegeEscalation: false does."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def unshare(flags: int) -> Callable[[], None]:
    """Go into new namespaces (CLONE_NEW...)."""

    def step() -> None:
        if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
            raise OSError(ctypes.get_errno(), "unshare")

    return step


def refusing(*system_calls: int) -> Callable[[], None]:
    """A seccomp filter under which these system calls fail with EPERM."""

    def step() -> None:
        # struct sock_filter {code u16, jt u8, jf u8, k u32}: load the number, compare, return an action.
        rows = [(0x20, 0, 0, 0)]
        for number in system_calls:
            rows += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050001)]
        rows.append((0x06, 0, 0, 0x7FFF0000))
        block = b"".join(
            code.to_bytes(2, "little") + bytes([jt, jf]) + k.to_bytes(4, "little") for code, jt, jf, k in rows
        )
        held = ctypes.create_string_buffer(block)
        program = (ctypes.c_uint64 * 2)(len(rows), ctypes.addressof(held))  # struct sock_fprog
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        _prctl(_PR_SET_SECCOMP, 2, ctypes.addressof(program))

    return step


def _prctl(option: int, first: int, second: int = 0) -> None:
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    numbers = [ctypes.c_ulong(number) for number in (first, second, 0, 0)]
    if prctl(ctypes.c_int(option), *numbers) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


@contextmanager
def started_as(binary: Path, *prepare: Callable[[], None], argument: str = "quiet") -> Iterator[int]:
    """Start a program after preparing the process for it; its PID once it is READY."""

    def all_steps() -> None:
        for step in prepare:
            step()

    with subprocess.Popen(
        [binary, argument],
        stderr=subprocess.PIPE,
        cwd="/",
        preexec_fn=all_steps,  # noqa: PLW1509 nothing else changes rights between fork and exec
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            while process.stderr.readline() not in ("READY\n", ""):
                pass
            assert process.poll() is None
            yield process.pid
        finally:
            process.kill()
