"""The remedies as one Go module, which tests and benchmarks compile at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from goretain.remedies import remedies, support_file
from goretain.toolchain import Completed
from tests.support.golang import toolchain

_BLOCK = re.compile(r"^```go\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def write_module(folder: Path, change: Callable[[str, str], str] = lambda _name, text: text) -> Path:
    """Write every remedy, its tests and the examples of its document into one package.

    Args:
        folder: the module's directory; it is made.
        change: what becomes of a file's text, by its name.

    Returns:
        ``folder``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text(f"module remedies\n\ngo {max(r.go for r in remedies())}\n")
    for file in (support_file(), *(file for remedy in remedies() for file in remedy.files)):
        (folder / file.name).write_text(change(file.name, file.text), "utf-8")
    for remedy in remedies():
        shown = "\n".join(_BLOCK.findall(remedy.text))
        name = f"{remedy.name.replace('-', '_')}_doc_test.go"
        (folder / name).write_text(f"package remedies\n\n{shown}", "utf-8")
    return folder


def go(version: str, folder: Path, *arguments: str, timeout: float = 600.0) -> Completed:
    """Run go in the module; C is linked in, for the race detector."""
    env = {"CGO_ENABLED": "1"}
    return toolchain(version).run(arguments, cwd=folder, env=env, timeout=timeout)
