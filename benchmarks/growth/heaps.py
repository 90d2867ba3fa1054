"""Runs the script of a family's sites on a real Go heap and reads the series of its sampled profiles."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.growth.families import Draw, Family
from goretain.profile.growth.verdict import Series
from tests.support.golang import go_program

VERSION = "1.26.6"
#: Sites in one process; the program has that many places that allocate.
SITES = 16
#: An eighth of the default, and objects an eighth of the size: the same statistics for less work.
RATE = 64 * 1024


def run(families: Sequence[Family], ticks: int, seed: int, *, host: int = 0, until: int = 0) -> Series:
    """The profiles, a second apart, of one process with a site of each family.

    Args:
        ticks: how long the window is that the families are drawn for.
        seed: of the program; host: of one process of it.
        until: end after so many profiles; 0: at the end of the window.
    """
    assert len(families) <= SITES
    code, rng = np.random.default_rng([seed, ticks]), np.random.default_rng([seed, ticks, host])
    draw = Draw(code, rng, ticks, RATE, busy=float(np.exp(rng.normal(0, 0.15))) if host else 1.0)
    tables = [family.draw(draw) for family in families]
    script = "".join(
        f"{birth} {part} {objects} {size} {death}\n"
        for part, table in enumerate(tables)
        for birth, objects, size, death in table.tolist()
    )
    return _profiled(script, len(families), until or ticks)


def _profiled(script: str, sites: int, ticks: int) -> Series:
    binary = go_program(Path(__file__).parent / "service", VERSION)
    done = subprocess.run(
        [binary, "-ticks", str(ticks), "-rate", str(RATE)],
        input=script,
        env={**os.environ, "GOMAXPROCS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    figures = np.zeros((4, sites, ticks))
    for line in done.stdout.splitlines():
        tick, part, *values = line.split()
        figures[:, int(part), int(tick)] = values
    objects, allocated, _, inuse = figures
    size = np.maximum(allocated[:, -1] / np.maximum(objects[:, -1], 1), 1)[:, None]
    sample = size / -np.expm1(-size / RATE)
    seconds = np.arange(ticks, dtype=np.float64)
    return Series(seconds, inuse, allocated, inuse / sample, allocated / sample, RATE)
