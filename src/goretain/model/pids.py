"""Whether what a user named is a process: asked wherever a target may also be a file.

On the ground floor because the light path, the analyses and the command line must agree. Standard library
only.
"""

from __future__ import annotations


def is_pid(target: str) -> bool:
    """Whether it is a PID: ASCII digits, no sign; "²" and "٣", which str.isdigit takes too, are none."""
    return target.isascii() and target.isdigit()
