"""goretain answers one question: why is this Go memory still alive?

``goretain.open(target)`` gives the heap of a running process, a core or a saved snapshot. This module
holds the version and that one name; it imports nothing until ``open`` is asked for, so that
``goretain --version`` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from goretain.api import open as open

__all__ = ["__version__", "open"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the API on first use of ``goretain.open`` (PEP 562)."""
    if name == "open":
        from goretain import api

        return api.open
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
