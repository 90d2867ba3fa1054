"""goretain answers one question: why is this Go memory still alive?

``goretain.open(target)`` gives the heap of a running process, a core or a saved snapshot. This module
holds the version and the names of the Python API; it imports nothing until one of them is asked for, so that
``goretain --version`` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from goretain.api import Snapshot as Snapshot
    from goretain.api import chains as chains
    from goretain.api import diff as diff
    from goretain.api import doctor as doctor
    from goretain.api import export as export
    from goretain.api import open as open
    from goretain.api import query as query
    from goretain.api import rules as rules
    from goretain.api import snap as snap
    from goretain.api import watch as watch
    from goretain.api import why as why

__all__ = [
    "Snapshot",
    "__version__",
    "chains",
    "diff",
    "doctor",
    "export",
    "open",
    "query",
    "rules",
    "snap",
    "watch",
    "why",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the API on first use of one of its names (PEP 562)."""
    if name in __all__:
        from goretain import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
