"""The public Python API: open a target, ask it what holds its memory.

Every command of the CLI is one call of this package; it wires the floors together and computes nothing
itself. Imports every floor below, the heavy ones only when they are needed.
"""

from goretain.api.answers import diff, rules, watch, why
from goretain.api.snapshot import Snapshot
from goretain.api.targets import Progress, open

__all__ = ["Progress", "Snapshot", "diff", "open", "rules", "watch", "why"]
