"""``goretain snap`` that hangs when a phase of the capture begins: ``HOW PHASE`` and then snap's arguments.

HOW is ``loop`` (the interpreter is never let go), ``syscall`` (a read that never returns) or ``stop``
(SIGSTOP). Prints ``hung`` before.
"""

from __future__ import annotations

import os
import signal
import sys

from goretain.cli import main, witness

HOW, PHASE, *ARGUMENTS = sys.argv[1:]


class Hanging(witness.Witness):
    """Is told of the phases."""

    def note(self, phase: str) -> None:
        super().note(phase)
        if phase != PHASE:
            return
        print("hung", flush=True)
        if HOW == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif HOW == "syscall":
            os.read(os.pipe()[0], 1)
        while HOW == "loop":
            pass


if __name__ == "__main__":
    vars(witness)["Witness"] = Hanging
    main.main(["snap", *ARGUMENTS])
