"""Captures each process whose PID comes as a line on stdin, and prints the phases and how it ended.

A program of its own, so that it is not the parent of the processes that it captures. Prints the phases as
``capture_process`` names them, then ``done PROGRAM`` or ``failed CLASS: MESSAGE``.
"""

from __future__ import annotations

import functools
import sys

from goretain.capture.frozen.process import capture_process
from goretain.capture.source import Plan
from goretain.debuginfo.elf.elf import Elf
from goretain.golang.layout import Layout, open_layout
from goretain.golang.plan import lean_plan


@functools.cache
def _layout(path: str) -> Layout:
    """Read once, so that a hundred captures take seconds."""
    return open_layout(Elf.open(path))


def _plan_for(binary: Elf, bias: int) -> Plan:
    return lean_plan(_layout(binary.path), bias)


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    for line in sys.stdin:
        try:
            image = capture_process(int(line), _plan_for, on_phase=_say)
        except Exception as error:
            _say(f"failed {type(error).__name__}: {error}")
        else:
            _say(f"done {image.facts.program}")


if __name__ == "__main__":
    main()
