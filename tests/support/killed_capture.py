"""Captures a process again and again and is killed by SIGKILL in the middle of it: ``PID PHASE``, phases as
``capture_process`` names them.

Runs as a program of its own that imports no more than capture and the plan, so that a hundred kills take
seconds. After each capture that was killed in the wanted phase it prints ``killed`` and waits for a line on
stdin; with none it ends.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time

from goretain.capture.frozen.process import capture_process
from goretain.capture.source import Plan, PlanFor
from goretain.debuginfo.elf.elf import Elf
from goretain.golang.layout import open_layout
from goretain.golang.plan import lean_plan

_LONGEST_WAIT = 0.004


def _plan_for(pid: int) -> PlanFor:
    """Reads the debug information once, before anything is forked."""
    binary = Elf.open(f"/proc/{pid}/exe")
    layout = open_layout(binary)
    lean_plan(layout, 0)

    def plan_for(_binary: Elf, bias: int) -> Plan:
        return lean_plan(layout, bias)

    return plan_for


def _capture(pid: int, plan_for: PlanFor, phases: int, wanted: str) -> None:
    def on_phase(phase: str) -> None:
        os.write(phases, f"{phase}\n".encode())
        if phase == wanted:
            time.sleep(random.uniform(0, _LONGEST_WAIT / 4))

    capture_process(pid, plan_for, on_phase=on_phase)
    os.write(phases, b"done\n")


def _kill_once(pid: int, plan_for: PlanFor, wanted: str) -> str:
    """The phase in which a capture was killed a random moment after the wanted phase began."""
    phases, written = os.pipe()
    child = os.fork()
    if not child:
        try:
            _capture(pid, plan_for, written, wanted)
        finally:
            os._exit(0)
    os.close(written)
    seen = b""
    while wanted.encode() not in seen:
        part = os.read(phases, 64)
        if not part:
            break
        seen += part
    time.sleep(random.uniform(0, _LONGEST_WAIT))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while part := os.read(phases, 64):
        seen += part
    os.close(phases)
    return seen.decode().split()[-1] if seen else "nothing"


def main() -> None:
    pid, wanted = int(sys.argv[1]), sys.argv[2]
    plan_for = _plan_for(pid)
    for _ in range(1000):
        if _kill_once(pid, plan_for, wanted) == wanted:
            print("killed", flush=True)
            if not sys.stdin.readline():
                return


if __name__ == "__main__":
    main()
