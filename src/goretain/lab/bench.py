"""Carries out one experiment with one toolchain: copies it to a folder of its own, builds, runs, reads.

A crash, a compile error or a run that does not end is a measurement like any other. Imports ``model``,
``toolchain`` and this package.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import threading
from pathlib import Path

from goretain.lab import compiler
from goretain.lab.catalogue import MEASURE, Experiment, Run
from goretain.lab.conditions import Value
from goretain.model.errors import ModulesUnavailable, OutOfTime
from goretain.toolchain import Completed, Toolchain

#: Module that an experiment's packages are in, unless its folder has a go.mod.
_MODULE = "module lab\n\ngo 1.21\n"
_PRINTED = re.compile(r"^([a-z][a-z0-9_]*)=(.*)$", re.MULTILINE)
_BUILD_LIMIT = 600.0


def measure(
    experiment: Experiment, toolchain: Toolchain, scratch: Path, stopped: threading.Event
) -> dict[str, Value]:
    """Everything that an experiment measures, by name.

    Args:
        scratch: an empty directory, for this run alone.
        stopped: is set when nothing more is to be started.

    Raises:
        Stopped: it was to start something and may not, or what it had measured may have been ended.
        ModulesUnavailable: it needs modules of others, which cannot be fetched.
        ToolchainError: go itself cannot be started.
    """
    for path in experiment.files:
        place = scratch / path.relative_to(experiment.folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    shutil.copytree(MEASURE, scratch / "measure")
    bench = _Bench(toolchain, scratch, stopped)
    if (scratch / "go.mod").exists():
        bench.fetch_modules()
    else:
        (scratch / "go.mod").write_text(_MODULE, "utf-8")
    values = {**bench.compiled(), **bench.escapes(), **bench.assembly()}
    for run in experiment.runs:
        values |= bench.run(run)
    for command in experiment.commands:
        values |= bench.command(command)
    bench.check()
    return values


class Stopped(Exception):
    """The run was given up; nobody waits for its result."""


class _Bench:
    """A toolchain and a folder with an experiment in it."""

    def __init__(self, toolchain: Toolchain, folder: Path, stopped: threading.Event) -> None:
        self._toolchain = toolchain
        self._folder = folder
        self._stopped = stopped

    def check(self) -> None:
        """Go no further once the run was given up."""
        if self._stopped.is_set():
            raise Stopped

    def fetch_modules(self) -> None:
        """Have the modules that the go.mod names, from the cache or the network."""
        done = self._go(["mod", "download"])
        if done.returncode != 0:
            raise ModulesUnavailable(
                f"modules could not be fetched: {compiler.first_error(done.stderr)}",
                hint="check network and GOPROXY, and run it again",
            )

    def compiled(self) -> dict[str, Value]:
        """Each file of ``compile`` as a program of its own: ``NAME.compiles``, ``NAME.error``."""
        values: dict[str, Value] = {}
        for path in sorted(self._folder.glob("compile/*.go*")):
            name = path.name.partition(".go")[0]
            alone = self._folder / f"compile_{name}"
            alone.mkdir()
            path.rename(alone / "main.go")
            done = self._go(["build", "-o", str(self._folder / "compiled"), f"./{alone.name}"])
            values[f"{name}.compiles"] = done.returncode == 0
            values[f"{name}.error"] = compiler.first_error(done.stderr)
        return values

    def escapes(self) -> dict[str, Value]:
        """What the compiler says of each marked line of the package in ``escape``."""
        sources = sorted(self._folder.glob("escape/*.go"))
        if not sources:
            return {}
        done = self._go(["build", "-gcflags=-m", "./escape"])
        return dict(compiler.escapes(done.stderr, sources))

    def assembly(self) -> dict[str, Value]:
        """``NAME.calls`` and ``NAME.code`` of each function of the package in ``assembly``."""
        if not any(self._folder.glob("assembly/*.go")):
            return {}
        done = self._go(["build", "-gcflags=-S", "./assembly"])
        values: dict[str, Value] = {}
        for name, code in compiler.functions(done.stderr, "lab/assembly"):
            values[f"{name}.calls"] = " ".join(compiler.calls(code))
            values[f"{name}.code"] = " ; ".join(line.replace("\t", " ") for line in code)
        return values

    def run(self, run: Run) -> dict[str, Value]:
        """Build the program with the run's flags, unless it is, and run it as often as it is to be."""
        program = self._folder / "-".join(["program", *(re.sub(r"\W", "", flag) for flag in run.flags)])
        if not program.exists():
            built = self._go(["build", "-o", str(program), *run.flags, "."], env=self._cgo(run))
            if built.returncode != 0:
                return self._read(run, [built.stderr], ["does not compile"])
        return self._repeat(run, program)

    def command(self, run: Run) -> dict[str, Value]:
        """Run go as often as it is to be."""
        return self._repeat(run, None)

    def _repeat(self, run: Run, program: Path | None) -> dict[str, Value]:
        texts: list[str] = []
        exits: list[str | int] = []
        for _ in range(run.times):
            try:
                done = self._once(run, program)
            except OutOfTime:
                exits.append("timeout")
                continue
            texts.append(f"{done.stdout}\n{done.stderr}")
            exits.append(done.returncode)
        return self._read(run, texts, exits)

    def _once(self, run: Run, program: Path | None) -> Completed:
        self.check()
        env = self._cgo(run) | run.env
        if program is None:
            return self._toolchain.run(run.args, cwd=self._folder, env=env, timeout=run.timeout)
        arguments = [run.name, *run.args]
        return self._toolchain.execute(program, arguments, cwd=self._folder, env=env, timeout=run.timeout)

    def _go(self, arguments: list[str], env: dict[str, str] | None = None) -> Completed:
        self.check()
        return self._toolchain.run(arguments, cwd=self._folder, env=env, timeout=_BUILD_LIMIT)

    @staticmethod
    def _cgo(run: Run) -> dict[str, str]:
        """The race detector is linked by the C compiler; nothing else needs one."""
        return {"CGO_ENABLED": "1" if "-race" in (*run.flags, *run.args) else "0"}

    @staticmethod
    def _read(run: Run, texts: list[str], exits: list[str | int] | list[str]) -> dict[str, Value]:
        """What a run printed, its exit status (of the last time) and how many times it was not 0."""
        whole = "\n".join(texts)
        values: dict[str, Value] = {name: _parsed(text) for name, text in _PRINTED.findall(whole)}
        values[f"{run.name}.exit"] = exits[-1]
        values[f"{run.name}.failed"] = sum(code != 0 for code in exits)
        for name, pattern in run.count.items():
            values[name] = sum(1 for _ in re.finditer(pattern, whole, re.MULTILINE))
        for name, pattern in run.find.items():
            found = re.search(pattern, whole, re.MULTILINE)
            values[name] = (_parsed(found[1]) if found[1] is not None else "") if found else ""
        return values


def _parsed(text: str) -> Value:
    """A printed value: a number, true or false, else the text."""
    text = text.strip()
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text
