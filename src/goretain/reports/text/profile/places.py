"""What the pages of ``profile`` have in common: files, frames and their callers, errors.

Imports ``model`` and ``reports``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from goretain.model.units import duration
from goretain.reports.results import ProfileFile
from goretain.reports.text.page import Page
from goretain.reports.text.profile.printed import memory
from goretain.reports.units import clean, moment
from goretain.snapshot import Frame

_NOWHERE = "(code without symbols)"
_CALLERS = 4
#: Outermost frames, that say nothing.
_BEGINNINGS = ("runtime.main", "runtime.goexit")


def head_of(page: Page, file: ProfileFile) -> None:
    """What was read, and what is to be known of it."""
    said: list[str] = [file.kind if file.kind != "values" else "profile"]
    if file.program:
        said.append(PurePath(file.program).name)
    if file.taken_at is not None:
        said.append(moment(file.taken_at))
    if file.seconds is not None:
        said.append(f"over {duration(int(file.seconds * 1e9))}")
    page.words(", ".join(said), lead=[(clean(file.name), "bold"), ("  ", "")], hang="  ", style="dim")
    if file.ended is not None:
        page.fact("ended by", file.ended, style="bold red")
    if file.memory is not None:
        memory(page, file.memory)
    for note in file.notes:
        page.fact("note", note, style="yellow")


def spot(frame: Frame) -> str:
    """``main.keep main.go:45``."""
    name = frame.function or (PurePath(frame.file).name or _NOWHERE)
    line = f":{frame.line}" if frame.line else ""
    return f"{name} {PurePath(frame.file).name}{line}" if frame.function and frame.file else name


def stands(place: Frame, own: Frame | None, start: str, created_at: Frame | None = None) -> str:
    """Where goroutines stand, the program's own line that led there, as what they began and by which go."""
    shown = [spot(place)]
    if own is not None and own != place:
        shown.append(spot(own))
    if start and start != (own or place).function:
        shown.append(start)
    if created_at is not None:
        shown.append(f"go at {spot(created_at)}")
    return " <- ".join(shown)


def path(place: Frame, own: Frame | None, path: Sequence[Frame]) -> str:
    """The frame that allocates, and from the program's own on who called it."""
    after = path[path.index(own) + 1 :] if own in path else path[1:]
    after = [frame for frame in after if frame.function not in _BEGINNINGS]
    shown = [place, *([own] if own is not None and own != place else []), *after[:_CALLERS]]
    more = " <- …" if len(after) > _CALLERS else ""
    return " <- ".join(spot(frame) for frame in shown) + more


def split_path(text: str) -> list[str]:
    """The frames of a ``path``, for a table to break between."""
    first, *callers = text.split(" <- ")
    return [first, *(f" <- {caller}" for caller in callers)]


def margin(error: float | None) -> str:
    """A relative error: ``±12%``."""
    if error is None:
        return "unknown"
    return "exact" if error == 0 else "±<1%" if error < 0.01 else f"±{error * 100:.0f}%"
