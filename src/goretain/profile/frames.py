"""Frames of call stacks: whose code each is, and which says most.

A profile does not name the modules of its program: whose a function is, its import path says. Imports
``golang.packages`` and ``snapshot``.
"""

from __future__ import annotations

from collections.abc import Sequence

from goretain.golang.packages import Packages, package_of
from goretain.snapshot import Frame, Layer

#: What stands for the frame of an empty stack.
NOWHERE = Frame("")
_PACKAGES = Packages(())


def layer_of(function: str) -> Layer | None:
    """Whose code a function is; None of code without symbols ("")."""
    return _PACKAGES.layer(package_of(function)) if function else None


def own_frame(frames: Sequence[Frame]) -> Frame:
    """The innermost frame outside the standard library; else outside the runtime; else of all."""
    layers = [layer_of(frame.function) for frame in frames]
    for wanted in ((Layer.PROGRAM,), (Layer.PROGRAM, Layer.STDLIB)):
        for frame, layer in zip(frames, layers, strict=True):
            if layer in wanted:
                return frame
    return frames[0] if frames else NOWHERE
