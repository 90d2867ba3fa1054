"""``goretain snap PID`` that takes memory without end once a phase has begun: ``PID PHASE FILE``.

It looks at no limit while it does so, so that the kernel has to. Prints each phase.
"""

from __future__ import annotations

import sys

from goretain.cli import main, witness

PID, PHASE, FILE = sys.argv[1:]


class Greedy(witness.Witness):
    """Is told of the phases."""

    def note(self, phase: str) -> None:
        print(phase, flush=True)
        taken = []
        while phase == PHASE:
            taken.append(b"\1" * (1 << 20))


if __name__ == "__main__":
    vars(witness)["Witness"] = Greedy
    main.main(["snap", PID, "-o", FILE, "--force"])
