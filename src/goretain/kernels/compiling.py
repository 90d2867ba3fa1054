"""Who wants to know that a kernel is about to be compiled: the command line, which says why it takes long.

Apart from the compiler so that listening does not import it. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_listeners: list[Callable[[], None]] = []


@contextmanager
def on_compile(listener: Callable[[], None]) -> Iterator[None]:
    """Call ``listener`` before each kernel that has to be compiled, as long as the context lasts."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def tell() -> None:
    """A kernel is not in the cache."""
    for listener in _listeners:
        listener()
