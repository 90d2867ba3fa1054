"""The Go process that benchmarks look at, and how they look: as the product does."""

from __future__ import annotations

from pathlib import Path

from tests.support.golang import go_program, running, toolchain

VERSION = "1.26.6"
HEAP = Path(__file__).parent / "heap"

__all__ = ["compiler_program", "heap_program", "running"]


def heap_program() -> Path:
    """The executable of ``benchmarks/heap``."""
    return go_program(HEAP, VERSION)


def compiler_program(*flags: str) -> Path:
    """The Go compiler, built with flags: a large program whose source the toolchain has."""
    return go_program(toolchain(VERSION).goroot / "src" / "cmd" / "compile", VERSION, flags=flags)
