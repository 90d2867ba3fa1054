"""Profiles of a real program, and what Go's own pprof says of them."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from goretain.profile.columns import Profile
from goretain.profile.contents import Contents
from goretain.profile.readers.read import read_contents
from goretain.profile.sources.source import read_source
from tests.support.golang import Target, go_program, release, running, toolchain

#: The last release that comes with a compiled pprof; the profiles of later ones are of the same format.
PPROF = "1.24.11"
#: Of releases that have the profile of leaked goroutines only as an experiment.
_EXPERIMENTS = {(1, 26): ("goroutineleakprofile",)}
#: What pprof calls code without symbols, as the runtime's profile of threads has it.
_UNKNOWN = "<unknown>"
_EVERY = ("-nodecount=1000000", "-nodefraction=0", "-edgefraction=0")


def fetched(target: Target, path: str) -> bytes:
    """What the program answers to a request."""
    ((url,),) = target.facts["url"]
    return fetched_url(url + path)


def fetched_url(url: str) -> bytes:
    """What a server answers."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        data: bytes = answer.read()
    return data


def collect(version: str, folder: Path, paths: Iterable[str]) -> dict[str, int]:
    """Fetch from ``tests/zoo/profiled`` in order; files are named by the last part of the path.

    Returns:
        function -> bytes that it kept.
    """
    program = go_program("profiled", version, experiments=_EXPERIMENTS.get(release(version), ()))
    with running(program) as target:
        for path in paths:
            (folder / path.rpartition("/")[2]).write_bytes(fetched(target, path))
        return target.table("kept")


def collect_all(version: str, folder: Path) -> tuple[dict[str, int], list[Path]]:
    """(function -> bytes that it kept, a profile of every kind that the release has)."""
    leaks = ["goroutineleak"] if release(version) >= (1, 26) else []
    kinds = ["heap", "allocs", "goroutine", "block", "mutex", "threadcreate", *leaks]
    kept = collect(version, folder, ["/lose", *(f"/debug/pprof/{kind}" for kind in kinds), "/cpu"])
    return kept, [folder / kind for kind in (*kinds, "cpu")]


def ended(version: str, folder: Path, end: str, **env: str) -> Contents:
    """What the program prints until it is ended: by a signal, or a request of that path.

    ``heap`` in the folder is its heap profile in text just before.
    """
    (folder / "output").touch()
    with (folder / "output").open("wb") as file:
        process = subprocess.Popen([go_program("profiled", version)], stderr=file, env={**os.environ, **env})
    try:
        deadline = time.monotonic() + 60
        while b"\nREADY\n" not in (printed := (folder / "output").read_bytes()):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        url = re.findall(r"url (\S+)", printed.decode())[0]
        (folder / "heap").write_bytes(fetched_url(f"{url}/debug/pprof/heap?debug=1"))
        if end.startswith("/"):
            with contextlib.suppress(OSError):  # the program is gone before it answers
                fetched_url(url + end)
        else:
            process.send_signal(signal.Signals[end])
        process.wait(30)
    finally:
        process.kill()
        process.wait()
    return read_contents(read_source(str(folder / "output")))


def pprof(*arguments: str | Path) -> str:
    """What ``go tool pprof`` prints."""
    done = toolchain(PPROF).run(["tool", "pprof", *map(str, arguments)], cwd=Path(arguments[-1]).parent)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _column(kind: str) -> tuple[str, ...]:
    unit = "ns" if kind in ("delay", "cpu") else "B" if kind.endswith("_space") else "count"
    return f"-sample_index={kind}", f"-unit={unit}"


def top(path: Path, kind: str, *more: str | Path) -> dict[str, tuple[int, int]]:
    """Of -top: function -> (flat, cumulative); more: further arguments."""
    printed = pprof("-top", *_EVERY, *_column(kind), *more, path)
    amount, share = r"(-?\d+)(?:B|ns)?", r"-?[\d.e+-]+%"
    line = rf"^ *{amount} +{share} +{share} +{amount} +{share}  (.*?)(?: \((?:partial-)?inline\))?$"
    rows = re.findall(line, printed, re.MULTILINE)
    return {name: (int(flat), int(total)) for flat, total, name in rows}


def traces(path: Path, kind: str) -> Counter[tuple[str, ...]]:
    """Of -traces: labels ("queue:q1") and then functions, innermost first -> amount."""
    found: Counter[tuple[str, ...]] = Counter()
    for block in pprof("-traces", *_column(kind), path).split("-----------+")[1:]:
        labels, functions, amount = [], [], 0
        for line in block.splitlines()[1:]:
            if label := re.fullmatch(r" *(\S+):  (.*)", line):
                labels.append(f"{label[1]}:{label[2]}")
            elif first := re.fullmatch(r" *(-?\d+)(?:B|ns)?   (\S.*)", line):
                amount = int(first[1])
                functions.append(first[2].removesuffix(" (inline)"))
            elif line.strip():
                functions.append(line.strip().removesuffix(" (inline)"))
        found[(*labels, *functions)] += amount
    return found


def our_top(profile: Profile, kind: str) -> dict[str, tuple[int, int]]:
    """The same as ``top`` of our columns."""
    values = profile.column(kind)
    assert values is not None
    flat: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for stack, value in zip(profile.stack.tolist(), values.tolist(), strict=True):
        functions = [frame.function or _UNKNOWN for frame in profile.stacks.frames(stack)]
        flat[functions[0] if functions else ""] += value
        for function in set(functions):
            whole[function] += value
    return {name: (flat[name], whole[name]) for name in whole}


def our_traces(profile: Profile, kind: str) -> Counter[tuple[str, ...]]:
    """The same as ``traces`` of our columns, but for the label ``bytes``, which pprof rounds."""
    values = profile.column(kind)
    assert values is not None
    found: Counter[tuple[str, ...]] = Counter()
    for stack, value, labels in zip(profile.stack.tolist(), values.tolist(), profile.label_set, strict=True):
        texts = sorted(f"{label.key}:{label.value}" for label in profile.label_sets[labels])
        functions = [frame.function or _UNKNOWN for frame in profile.stacks.frames(stack)]
        if functions:  # a goroutine that has not begun has none, and pprof does not print it
            found[(*texts, *functions)] += value
    return found
