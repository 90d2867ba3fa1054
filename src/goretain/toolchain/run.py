"""Run ``go`` so that nothing of the machine's Go settings leaks in or out.

Own build and module caches under the user's cache, GOFLAGS, GOENV and GOWORK off, no automatic toolchain
switch, a time limit that ends the whole process group. Only where the user's own module is built
(``isolated=False``) do his settings hold, as they do when he runs go himself. Imports ``model`` and the
standard library only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from goretain.model.errors import OutOfTime, ToolchainError, UsageError
from goretain.model.places import user_cache

#: Settings that say how to reach module registries: kept, since without them modules may be out of reach.
_KEPT = frozenset({"GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "GOINSECURE", "GOMAXPROCS"})


@dataclass(frozen=True, slots=True)
class Completed:
    """One finished run of go, or of a program that it built.

    Attributes:
        arguments: the command line after ``go`` or the program.
        returncode: exit status; negative: the signal that ended it.
        stdout, stderr: what it printed.
        seconds: wall time.
    """

    arguments: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Toolchain:
    """One Go toolchain.

    Attributes:
        goroot: its GOROOT; ``bin/go`` is inside.
        version: ``1.26.6``.
        isolated: whether the machine's Go settings are kept out; else they hold: go.work, GOFLAGS, the module
            cache, private modules.
        pinned: whether it must be this version, whatever a go.mod asks for.
    """

    goroot: Path
    version: str
    isolated: bool = True
    pinned: bool = True

    @property
    def go(self) -> Path:
        """The go command."""
        return self.goroot / "bin" / "go"

    def environment(
        self, extra: Mapping[str, str] | None = None, experiments: Sequence[str] = ()
    ) -> dict[str, str]:
        """The environment go runs in: the process's own, isolated without Go settings, plus ``extra``."""
        path = f"{self.goroot / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        if not self.isolated:
            own = {name: value for name, value in os.environ.items() if name != "GOROOT"}
            pin = {"GOTOOLCHAIN": "local"} if self.pinned else {}
            return {**own, "PATH": path, **pin, **(extra or {})}
        caches = user_cache() / "go"
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in _KEPT or not name.startswith(("GO", "CGO_"))
        }
        isolated = {
            "GOROOT": str(self.goroot),
            "GOCACHE": str(caches / "build" / self.version),
            "GOPATH": str(caches / "path"),
            "GOENV": "off",
            "GOFLAGS": "",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
            "GOEXPERIMENT": ",".join(experiments),
            "XDG_CONFIG_HOME": str(caches / "config"),  # go counts its use below the user's configuration
            "PATH": path,
        }
        return {**kept, **isolated, **(extra or {})}

    def run(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        experiments: Sequence[str] = (),
        timeout: float = 600.0,
    ) -> Completed:
        """Run ``go ARGUMENTS`` in ``cwd`` and wait for it, whatever its exit status.

        Raises:
            OutOfTime: ``timeout`` seconds passed (everything it started is ended then).
            ToolchainError: go cannot be started.
        """
        environment = self.environment(env, experiments)
        return _finished([str(self.go), *arguments], cwd, environment, timeout)

    def execute(
        self,
        program: Path,
        arguments: Sequence[str] = (),
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        timeout: float = 600.0,
    ) -> Completed:
        """Run a built program in ``cwd``, in the environment go runs in, and wait for it.

        Raises:
            OutOfTime: ``timeout`` seconds passed (everything it started is ended then).
            ToolchainError: it cannot be started.
        """
        return _finished([str(program), *arguments], cwd, self.environment(env), timeout)

    def build(
        self,
        package: Path,
        out: Path,
        *,
        env: Mapping[str, str] | None = None,
        flags: Sequence[str] = (),
        experiments: Sequence[str] = (),
        timeout: float = 600.0,
    ) -> Path:
        """Build the main package in directory ``package`` to the file ``out``; returns ``out``.

        Args:
            package: a directory with a go.mod, or below one.
            out: the executable to write; a regular file or nothing may stand there.
            env: extra variables (``CGO_ENABLED``, ``GOAMD64``).
            flags: of go build: ``-tags``, ``-ldflags``, ``-buildmode=pie``.
            experiments: GOEXPERIMENT names.
            timeout: seconds.

        Raises:
            ToolchainError: it does not compile (the message holds what the compiler said), or time ran out.
            UsageError: ``out`` is a device or directory: as root, go build would replace ``/dev/null``.
        """
        if out.exists() and not out.is_file():
            raise UsageError(f"{out} is not a regular file", hint="give the path of a file to build to")
        arguments = ["build", "-o", str(out.absolute()), *flags, "."]
        done = self.run(arguments, cwd=package, env=env, experiments=experiments, timeout=timeout)
        if done.returncode != 0:
            raise ToolchainError(
                f"Go {self.version} cannot build {package}:\n{(done.stderr or done.stdout).strip()}",
                hint="mend what the compiler names, or use another Go version",
            )
        return out

    def gofmt(self, source: str, *, timeout: float = 120.0) -> str:
        """Go source as gofmt writes it.

        Raises:
            ToolchainError: gofmt is not there, or this is not Go (the message says what gofmt said).
        """
        gofmt = self.goroot / "bin" / "gofmt"
        done = _finished([str(gofmt)], self.goroot, self.environment(), timeout, given=source)
        if done.returncode != 0:
            raise ToolchainError(f"gofmt of Go {self.version} refuses the source: {done.stderr.strip()}")
        return done.stdout


#: Process groups that run now, of all threads.
_RUNNING: set[int] = set()


def end_running() -> None:
    """End all that threads run by toolchains now: an interruption reaches only the main thread."""
    for group in tuple(_RUNNING):
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


@contextmanager
def _listed(group: int) -> Iterator[None]:
    _RUNNING.add(group)
    try:
        yield
    finally:
        _RUNNING.discard(group)


def _finished(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str], timeout: float, given: str = ""
) -> Completed:
    """Run a command in a process group of its own, which ends with it.

    Args:
        given: its standard input.
    """
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE if given else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",  # whatever the locale: it is Go that writes
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise ToolchainError(
            f"cannot run {command[0]}: {error.strerror}",
            hint="remove this toolchain, it will be fetched again",
        ) from error
    with process, _listed(process.pid):
        try:
            stdout, stderr = process.communicate(given or None, timeout=timeout)
        except BaseException as error:
            with suppress(ProcessLookupError):  # it ended meanwhile
                os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                what = " ".join((Path(command[0]).name, *command[1:2]))
                raise OutOfTime(f"{what} took more than {timeout:.0f} s", hint="give it more time") from None
            raise
    return Completed(tuple(command[1:]), process.returncode, stdout, stderr, time.monotonic() - started)
