"""Runs the demo and puts what it prints into README.md, so that the output shown there is real.

    .venv/bin/python docs/refresh.py

Only the block between the two ``demo`` marks changes. Figures differ from run to run (PIDs, pauses), so CI
checks that the block is there and has the parts of a run, not that it is equal.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- demo: python docs/refresh.py -->", "<!-- /demo -->"


def main() -> int:
    """Rewrite the block; the exit status is that of the demo."""
    command = [sys.executable, "examples/demo/run.py"]
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        return done.returncode
    readme = ROOT / "README.md"
    readme.write_text(with_block(readme.read_text("utf-8"), shown(done.stdout)), "utf-8")
    return 0


def shown(output: str) -> str:
    """The part of a run worth showing: the last look and the comparison, without machine paths."""
    parts = re.split(r"\n(?==== )", output)
    wanted = parts[-2:]
    text = "\n\n".join(part.strip("\n") for part in wanted)
    text = re.sub(r"=== (goretain diff).*", r"=== \1 first second", text)
    return "\n".join(line.rstrip() for line in re.sub(r"\S*/goretain-demo-\w+/", "", text).splitlines())


def with_block(readme: str, text: str) -> str:
    """The README with the block between the marks replaced."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n```text\n{text}\n```\n{END}{after}"


if __name__ == "__main__":
    sys.exit(main())
