"""Which frame of a stack says most. Imports ``golang.packages``, ``snapshot`` and this package."""

from __future__ import annotations

from collections.abc import Sequence

from goretain.golang.packages import Packages, package_of
from goretain.profile.sites import NOWHERE
from goretain.snapshot import Frame, Layer

_PACKAGES = Packages(())


def own_frame(frames: Sequence[Frame]) -> Frame:
    """The innermost frame outside the standard library; else outside the runtime; else of all."""
    layers = [_PACKAGES.layer(package_of(frame.function)) for frame in frames]
    for wanted in ({Layer.PROGRAM}, set(Layer) - {Layer.RUNTIME}):
        for frame, layer in zip(frames, layers, strict=True):
            if frame.function and layer in wanted:
                return frame
    return frames[0] if frames else NOWHERE
