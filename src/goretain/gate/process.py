"""Run the test binary of a package, as go test does, and end all that it started.

Imports ``model`` and this room.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from goretain.gate.build import Built
from goretain.model.errors import ToolchainError

#: Lines that the output of every benchmark begins with.
_HEADS = ("goos: ", "goarch: ", "pkg: ", "cpu: ")
_PANIC = re.compile(r"(^|\s)panic: |^fatal error: ")
#: Lines of output that a message quotes.
_LINES = 12
#: Bytes of output that are read: results stand behind what a benchmark prints.
_LARGEST = 1 << 26


@dataclass(frozen=True, slots=True)
class Settings:
    """How benchmarks are run.

    Attributes:
        cpu: GOMAXPROCS of every run. With 1 runs are alike to the byte.
        patience: seconds after which a run is ended.
    """

    cpu: int = 1
    patience: float = 120.0


@dataclass(frozen=True, slots=True)
class Done:
    """A process that has ended: its exit code, what it printed, wall time, largest resident size."""

    code: int
    output: str
    seconds: float
    rss_bytes: int


def execute(built: Built, arguments: Sequence[str], settings: Settings, into: str = "") -> Done:
    """Run the test binary in the directory of its package, as go test does.

    Raises:
        ToolchainError: it cannot be started.
    """
    own = {"GOMAXPROCS": str(settings.cpu), **({"GORETAIN_GATE_INTO": into} if into else {})}
    common = ["-test.run=^$", "-test.paniconexit0", f"-test.cpu={settings.cpu}", "-test.timeout=0"]
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                [built.binary, *common, *arguments],
                cwd=built.package.directory,
                env={**os.environ, **own},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ToolchainError(
                f"cannot run the tests of {built.package.path}, {built.binary}: {error.strerror}",
                hint="programs must be allowed to run in the temporary directory (TMPDIR)",
            ) from error
        try:
            code, usage = _wait(process, started + settings.patience)
        finally:
            _end_group(process)
        seconds = time.monotonic() - started
        output.seek(0)
        text = output.read(_LARGEST).decode("utf-8", "replace")
    if code is None:
        text += f"\nended by goretain after {seconds:.0f} s"
    elif code:
        how = f"exit status {code}" if code > 0 else f"signal: {signal.strsignal(-code)}"
        text = f"{text.rstrip()}\n{how}"
    return Done(-signal.SIGKILL if code is None else code, text, seconds, usage)


def _wait(process: subprocess.Popen[bytes], until: float) -> tuple[int | None, int]:
    """Exit code, None when time ran out, and the largest resident size in bytes."""
    pause = 0.001
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_maxrss * 1024
        if time.monotonic() > until:
            return None, 0
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End what the benchmark started, and the process if it still runs."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_lines(output: str) -> str:
    """What matters of what a test printed: its panic, or the end."""
    lines = [line for line in output.strip().splitlines() if not line.startswith(_HEADS)]
    panic = next((at for at, line in enumerate(lines) if _PANIC.search(line)), None)
    shown = lines[-_LINES:] if panic is None else lines[panic : panic + _LINES]
    return "\n".join(shown) or "it said nothing"
