"""The Go code in the patterns' documents compiles, and go vet has nothing against it."""

from __future__ import annotations

import re
from pathlib import Path

from goretain.patterns import catalogue
from goretain.patterns.document import Snippet
from tests.support.golang import VERSIONS, toolchain

#: Packages that the code may name without importing them.
_PACKAGES = {
    name.rpartition("/")[2]: name
    for name in (
        *("bytes", "context", "encoding/json", "log", "maps", "runtime", "slices", "strings", "sync", "time"),
        "unsafe",
    )
}


def program(snippet: Snippet) -> str:
    """A package of the snippet as a function's body; what it only declares is used."""
    text = re.sub(r"//.*", "", snippet.context + snippet.code)
    imports = [path for name, path in _PACKAGES.items() if re.search(rf"\b{name}\.", text)]
    declared = re.findall(r"^(\w+(?:, \w+)*) :=", snippet.code, re.MULTILINE)
    names = {name.strip() for names in declared for name in names.split(",")}
    return "\n".join(
        [
            "package snippet",
            *(f'import "{path}"' for path in imports),
            snippet.context,
            "func Snippet() {",
            snippet.code,
            *(f"_ = {name}" for name in sorted(names)),
            "}",
        ]
    )


def test_code_in_the_documents_compiles(tmp_path: Path) -> None:
    snippets = [(p.folder, number, s) for p in catalogue() for number, s in enumerate(p.doc.snippets)]
    assert len(snippets) >= 18
    (tmp_path / "go.mod").write_text(f"module snippets\n\ngo {VERSIONS[-1].rpartition('.')[0]}\n")
    for folder, number, snippet in snippets:
        package = tmp_path / f"{folder}_{number}"
        package.mkdir()
        (package / "snippet.go").write_text(program(snippet))
    done = toolchain(VERSIONS[-1]).run(["vet", "./..."], cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_what_the_code_needs_is_not_shown() -> None:
    assert all("<!--" not in pattern.doc.text for pattern in catalogue())
