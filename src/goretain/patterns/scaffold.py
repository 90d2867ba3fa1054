"""Makes the folder of a new pattern from ``template``: complete, and so alive that its tests run at once.

The template's own pattern (a slice of records in a global) stands where the author's goes: every file says
what belongs there. Imports this room, ``model`` and the standard library.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from goretain.model.errors import UsageError
from goretain.patterns.catalogue import NAME, catalogue

_PACKAGE = "goretain.patterns"
_SUFFIX = ".txt"  # so that the template itself is no pattern, no module and no Go program


def new_pattern(name: str, title: str, into: Path | None = None) -> list[Path]:
    """Write the folder of a pattern and return the files.

    Args:
        name: ``subslice-pins-array``; title: one line for people.
        into: the directory of patterns; goretain's own unless given.

    Raises:
        UsageError: the name is none, is taken, or the directory cannot be written.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a pattern's name",
            hint="lower-case words and hyphens that say the pattern, not the cure: subslice-pins-array",
        )
    home = into if into is not None else Path(str(importlib.resources.files(_PACKAGE)))
    folder = home / name.replace("-", "_")
    if folder.exists() or any(pattern.name == name for pattern in catalogue()):
        raise UsageError(f"there is a pattern {name} already", hint=f"see goretain rule {name}")
    words = {"code": _next_code(home), "name": name, "title": title, "words": name.replace("-", " ")}
    try:
        return list(_write(importlib.resources.files(_PACKAGE) / "template", folder, words))
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written: {error.strerror}",
            hint="patterns are added to a checkout of goretain: run it there, or use --into DIR",
        ) from error


def _next_code(home: Path) -> str:
    """The first code behind all that the catalogue and the directory have."""
    texts = "\n".join(file.read_text("utf-8") for file in home.glob("*/pattern.toml"))
    there = [int(number) for number in re.findall(r'^code = "GR(\d{3})"', texts, re.MULTILINE)]
    return f"GR{max([*there, *(int(pattern.code[2:]) for pattern in catalogue())]) + 1}"


def _write(template: Traversable, folder: Path, words: dict[str, str]) -> Iterator[Path]:
    """Write the files of one directory of the template, and of those in it."""
    folder.mkdir(parents=True)
    if "signature.py" + _SUFFIX in {entry.name for entry in template.iterdir()}:
        (folder / "__init__.py").write_text('"""Pattern folder; see doc.md."""\n', "utf-8")
        yield folder / "__init__.py"
    for entry in sorted(template.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _write(entry, folder / entry.name, words)
        elif entry.name.endswith(_SUFFIX):
            file = folder / entry.name.removesuffix(_SUFFIX)
            file.write_text(Template(entry.read_text("utf-8")).substitute(words), "utf-8")
            yield file
