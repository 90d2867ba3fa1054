"""Reads what the Go compiler says of a package: escape decisions (-m), generated code (-S), errors.

Imports the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_MARK = re.compile(r"//lab:([a-z0-9_]+)")
_MESSAGE = re.compile(r"^(?:\./|\.\\)?(?:[\w.-]+/)*([\w.-]+\.go):(\d+):(?:\d+:)? (.*)$", re.MULTILINE)
_FUNCTION = re.compile(r"^(\S+) STEXT ")
_INSTRUCTION = re.compile(r"^\t0x[0-9a-f]+ \d+ \(.*?\)\t(.*)$")
#: Instructions that say what the collector may assume, or mark a place, and do nothing.
_NO_CODE = ("PCDATA", "FUNCDATA", "TEXT", "NOP", "XCHGL\tAX, AX")


def escapes(output: str, sources: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """What -gcflags=-m said of each line that carries a mark ``//lab:NAME``: NAME and the messages.

    Args:
        output: of go build.
        sources: the files that were compiled.
    """
    said: dict[tuple[str, int], list[str]] = {}
    for found in _MESSAGE.finditer(output):
        said.setdefault((found[1], int(found[2])), []).append(found[3])
    for path in sources:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if mark := _MARK.search(line):
                yield mark[1], "; ".join(dict.fromkeys(said.get((path.name, number), [])))


def functions(output: str, package: str) -> Iterator[tuple[str, list[str]]]:
    """The functions of a package in what -gcflags=-S printed, with their instructions in order.

    An instruction is its name and operands as printed, parted by one tab; those that generate no code are
    left out.
    """
    name: str | None = None
    code: list[str] = []
    for line in output.splitlines():
        if head := _FUNCTION.match(line):
            if name is not None:
                yield name, code
            whole = head[1]
            name = whole.removeprefix(f"{package}.") if whole.startswith(f"{package}.") else None
            code = []
            continue
        found = _INSTRUCTION.match(line)
        if name is not None and found and not found[1].startswith(_NO_CODE):
            code.append(found[1])
    if name is not None:
        yield name, code


def calls(code: Iterable[str]) -> list[str]:
    """Functions that some instructions call by name, each once, in order; not that which grows the stack."""
    found = (re.match(r"CALL\t(\S+?)\(SB\)", line) for line in code)
    return list(dict.fromkeys(match[1] for match in found if match and "morestack" not in match[1]))


def first_error(output: str) -> str:
    """The first thing that a compiler or linker complains about, without its place; "" for nothing."""
    if found := _MESSAGE.search(output):
        return found[3]
    lines = (line.strip() for line in output.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")
