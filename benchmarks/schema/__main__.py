"""Time and memory a document: types of ``goretain schema``, map[string]any, quicktype's types, paths.

A Go program decodes the same documents in all ways, in turns; the least processor time of nine rounds counts.
What is held is measured after a collection, of 300 decoded documents each. quicktype is run by npx, if there.
Run: ``python -m benchmarks.schema [Go version]``.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from goretain import api
from tests.support.golang import toolchain

PROGRAM = Path(__file__).with_name("decode")
QUICKTYPE = "quicktype@23"
#: Documents of each size.
DOCUMENTS = 300
PATHS = ("id", "gross=totals.gross", "prices=lines[*].price")


def order(lines: int, seed: int) -> dict[str, Any]:
    """An order of a shop, made up; 0.6 KB, and 0.2 KB more for each line."""
    made = random.Random(1000 * lines + seed)

    def word(length: int) -> str:
        return "".join(made.choices("abcdefghijklmnopqrstuvwxyz", k=length)).capitalize()

    return {
        "id": f"{made.randrange(1 << 64):016x}",
        "created": f"2026-11-{made.randrange(1, 29):02}T08:15:{made.randrange(60):02}Z",
        "customer": {
            "id": made.randrange(1 << 32),
            "name": f"{word(5)} {word(8)}",
            "email": f"{word(9).lower()}@example.com",
            "address": {
                "street": f"{made.randrange(1, 99)} {word(9)} Street",
                "city": made.choice(["London", "Leeds", "York", "Bath"]),
                "zip": f"{word(3).upper()} {made.randrange(10)}AB",
                "country": "GB",
            },
        },
        "lines": [
            {
                "sku": f"SKU-{made.randrange(1 << 20):05}",
                "title": f"{word(7)} {word(made.randrange(3, 30)).lower()}",
                "quantity": made.randrange(1, 20),
                "price": made.randrange(100, 99_999) / 100,
                "discount": made.choice([None, 0.1, 0.25]),
                "tags": ["new", "fragile", "sale"][: made.randrange(4)],
                "stock": {
                    "warehouse": "LHR-2",
                    "shelf": made.randrange(400),
                    "reserved": made.random() < 0.5,
                },
            }
            for _ in range(lines)
        ],
        "totals": {"net": 1234.5, "tax": 246.9, "gross": made.randrange(99_999) / 100},
        "status": made.choice(["new", "paid", "sent"]),
        **({"note": f"leave it with {word(6)}"} if made.random() < 0.5 else {}),
    }


def main(version: str = "1.27.3") -> None:
    """Print the tables."""
    go = toolchain(version)
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        shutil.copytree(PROGRAM, home, dirs_exist_ok=True)
        samples = home / "order.ndjson"
        samples.write_text("\n".join(json.dumps(order(3, n)) for n in range(40)))
        for name, paths in (("Order", ()), ("Parts", PATHS)):
            api.schema([samples], out=home / "ours", type=name, paths=paths)
        missing = quicktype(home)
        flags = [] if missing else ["-tags", "quicktype"]
        binary = go.build(home, home / "decode", flags=flags)
        documents = []
        for lines in (1, 50):
            documents.append(home / f"{lines}.ndjson")
            documents[-1].write_text("\n".join(json.dumps(order(lines, n)) for n in range(DOCUMENTS)))
        done = subprocess.run([binary, *documents], capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    print(f"Go {go.version}; paths are {', '.join(PATHS)}{missing and f'; no quicktype: {missing}'}")
    for path in dict.fromkeys(row[0] for row in rows):
        table([row for row in rows if row[0] == path])


def quicktype(home: Path) -> str:
    """Types of quicktype, of the same samples; why there are none, "" where there are."""
    npx = shutil.which("npx")
    if npx is None:
        return "npx is not there"
    (home / "quick").mkdir()
    array = home / "orders.json"
    array.write_text(f"[{','.join((home / 'order.ndjson').read_text().splitlines())}]")
    command = [npx, "--yes", QUICKTYPE, "--lang", "go", "--package", "quick", "--top-level", "Orders"]
    made = home / "quick" / "quick.go"
    try:
        done = subprocess.run(
            [*command, str(array), "-o", str(made)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            cwd=home,
        )
    except subprocess.TimeoutExpired:
        return "npx took more than five minutes"
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["npx failed"])[-1]
    text = made.read_text()
    for element in ("OrdersElement", "Orders", "Order"):
        if f"type {element} struct" in text:
            if element != "Order":
                (home / "quick" / "order.go").write_text(f"package quick\n\ntype Order = {element}\n")
            return ""
    return "its types have other names than expected"


def table(rows: list[list[str]]) -> None:
    """One document: figures, and beside them how many times those of map[string]any."""
    base = [int(value) for value in rows[0][3:]]
    print(f"\ndocuments of {int(rows[0][1]):,} bytes")
    print("| | CPU ns | x | B held | x | B allocated | x | allocations |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        ns, allocated, objects, held = (int(value) for value in row[3:])
        cells = [
            f"{ns:,} | {ns / base[0]:.2f}",
            f"{held:,} | {held / base[3]:.3f}",
            f"{allocated:,} | {allocated / base[1]:.3f}",
            f"{objects:,}",
        ]
        print(f"| {row[2]} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
