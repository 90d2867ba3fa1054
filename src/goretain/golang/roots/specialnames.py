"""Names of the functions that finalizers and cleanups call.

Up to Go 1.25 runtime.AddCleanup (runtime/mcleanup.go) wraps function and argument in a closure of its own:
the name is that of the function in there. Imports ``golang.packages``, ``golang.stacks`` and ``model``.
"""

from __future__ import annotations

from goretain.golang.packages import display_name
from goretain.golang.stacks.stacks import Stacks
from goretain.model.errors import MissingMemory

_WRAPPER = "runtime.AddCleanup"
#: Words of the wrapper that may be the function: behind its code pointer, a dictionary may stand before it.
_CAPTURED = (8, 16)


def called(stacks: Stacks, closure: int) -> str:
    """Function of a closure at an address, "" where it is unknown or 0."""
    name = _function(stacks, closure)
    if not name.startswith(_WRAPPER):
        return name
    words = [_word(stacks, closure + at) for at in _CAPTURED]
    # Go 1.25 captures the variable and not its value.
    inner = (_function(stacks, value) for value in (*words, *(_word(stacks, word) for word in words)))
    return next((found for found in inner if found), name)


def _function(stacks: Stacks, closure: int) -> str:
    """A closure's first word is the address of its code."""
    entry = _word(stacks, closure)
    return display_name(stacks.function(entry)) if entry else ""


def _word(stacks: Stacks, address: int) -> int:
    try:
        return stacks.program.word(address) if address else 0
    except MissingMemory:
        return 0
