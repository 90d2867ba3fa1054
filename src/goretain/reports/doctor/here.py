"""What this installation has: Python and its libraries, the caches, compiled kernels, Go toolchains.

Imports ``kernels``, ``toolchain``, ``model`` and ``reports``.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from pathlib import Path

from goretain.model.places import user_cache
from goretain.model.units import iec
from goretain.reports.doctor.lines import Lines
from goretain.reports.results import Check
from goretain.reports.units import plural
from goretain.toolchain import SUPPORTED

_LINES = Lines("goretain")
_NEEDED = ("numpy", "numba", "msgspec", "click", "rich")
#: Parts of the cache whose files are few enough to be counted.
_COUNTED = ("kernels", "dwarf")


def checks() -> list[Check]:
    """One for each thing."""
    return _LINES.made(
        [("python", _python), ("cache", _cache), ("kernels", _kernels), ("toolchains", _toolchains)]
    )


def _python() -> Check:
    versions: dict[str, str] = {}
    for name in _NEEDED:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = ""
    found = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    found = f"Python {platform.python_version()}, {found}"
    missing = [name for name, version in versions.items() if not version]
    if missing:
        return _LINES.problem(
            "python", f"{found}; missing: {', '.join(missing)}", f"pip install {' '.join(missing)}"
        )
    return _LINES.ok("python", found)


def _cache() -> Check:
    folder = user_cache()
    if not os.access(folder, os.W_OK):
        return _LINES.warning(
            "cache",
            f"{folder} cannot be written: every run compiles the kernels and decodes the debug information",
            "set XDG_CACHE_HOME to a directory that you alone can write",
        )
    sizes = {name: _size(folder / name) for name in _COUNTED}
    found = f"{folder} ({', '.join(f'{name} {iec(size)}' for name, size in sizes.items())})"
    if folder.name != "goretain" and not folder.name.endswith(f"-{os.geteuid()}"):
        return _LINES.warning(
            "cache", f"{found}, deleted when this run ends", "set XDG_CACHE_HOME to a directory of your own"
        )
    return _LINES.ok("cache", found)


def _size(folder: Path) -> int:
    """Bytes of the files below a folder; 0 where there is none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _kernels() -> Check:
    from goretain.kernels.folder import compiled

    files = compiled()
    if files is None:
        return _LINES.warning(
            "kernels",
            "compiled anew in every run: half a minute to some minutes",
            "make the cache writable, see above",
        )
    if not files:
        return _LINES.ok(
            "kernels", "not compiled yet: the first analysis takes half a minute to some minutes longer"
        )
    return _LINES.ok("kernels", f"compiled, {plural(files, 'file')} for numba's cache of this version")


def _toolchains() -> Check:
    """Listed, not run: none is needed to look at a process."""
    home = user_cache() / "toolchains"
    fetched = [version for version in SUPPORTED if (home / version).is_dir()]
    on_path = shutil.which("go")
    parts = [f"go on PATH: {on_path}"] if on_path else []
    parts += [f"fetched: {', '.join(fetched)}"] if fetched else []
    found = "; ".join(parts) or "none"
    return _LINES.ok("toolchains", f"{found} (only demo and tests need one; a missing one is fetched)")
