"""Reads damaged profiles, dumps, logs and traces in a process of its own, so that a crash is seen.

``python -m tests.fuzz.reading FOLDER FIRST COUNT`` damages every file of FOLDER/sound COUNT times, writes
which one and which seed it is at to FOLDER/at before each reading, and one JSON line to FOLDER/outcomes after
it. A file is asked all that the commands ask of it: read by protobuf's parser and by the kernels, beside the
sound one, as one of a series, and rendered.
"""

from __future__ import annotations

import faulthandler
import gzip
import sys
import time
import traceback
from contextlib import suppress
from json import dumps
from pathlib import Path
from random import Random

from goretain import api
from goretain.model.errors import CorruptFile, GoretainError
from goretain.profile.readers.gather import MANY
from goretain.reports import json, text
from tests.fuzz.edits import damage
from tests.fuzz.worker import LIMIT_SECONDS, limit_memory

#: Names of files that hold traces end so.
TRACE = ".trace"
_WIDTH = 80


def main(folder: str, first: str, count: str) -> None:
    """Run ``count`` mutations of every file from a seed on."""
    place = Path(folder)
    files = sorted((place / "sound").iterdir())
    for file in files:
        _ask(file, file)  # loads the kernels
    limit_memory()
    at = (place / "at").open("w")
    with (place / "outcomes").open("w") as outcomes:
        for file in files:
            whole = file.read_bytes()
            for seed in range(int(first), int(first) + int(count)):
                at.seek(0)
                at.write(f"{file.name} {seed:20d}\n")
                at.flush()
                damaged = place / f"damaged{file.suffix}"
                damaged.write_bytes(damaged_bytes(Random(f"{file.name} {seed}"), whole))
                faulthandler.dump_traceback_later(LIMIT_SECONDS, exit=True)
                began = time.monotonic()
                outcome = _outcome(damaged, file)
                faulthandler.cancel_dump_traceback_later()
                took = round(time.monotonic() - began, 3)
                row = {"file": file.name, "seed": seed, "seconds": took, **outcome}
                outcomes.write(dumps(row) + "\n")


def damaged_bytes(rng: Random, whole: bytes) -> bytes:
    """A file with a little wrong in it; what is in gzip's packing mostly inside."""
    if whole[:2] == b"\x1f\x8b" and rng.random() < 0.9:
        inside = damaged_bytes(rng, gzip.decompress(whole))
        return gzip.compress(inside, 1) if rng.random() < 0.5 else inside
    new = bytearray(whole)
    what = rng.random()
    if what < 0.1:
        del new[rng.randrange(len(new)) :]
    elif what < 0.3:  # a piece is missing, twice there or elsewhere
        begin = rng.randrange(len(new))
        piece = new[begin : begin + rng.choice((1, 2, 8, 100, 5000))]
        if rng.random() < 0.6:
            del new[begin : begin + len(piece)]
        if rng.random() < 0.6:
            place = rng.randrange(len(new) + 1)
            new[place:place] = piece
    else:
        edges = [(0, len(new)), (0, min(len(new), 256)), (max(0, len(new) - 256), len(new))]
        for edit in damage(rng, lambda at, size: bytes(new[at : at + size]), edges):
            new[edit.offset : edit.offset + len(edit.data)] = edit.data
    return bytes(new)


def _ask(damaged: Path, sound: Path) -> None:
    """What the commands say of a file beside its sound one. Raises GoretainError where it is refused."""
    if sound.suffix == TRACE:
        report = api.trace(damaged)
        assert text.render_trace(report, _WIDTH)
        assert json.render(report)
        return
    refused: list[GoretainError] = []
    for files in ([damaged], [sound, *[damaged] * MANY]):
        try:
            profile = api.profile(files)
            assert text.render_profile(profile, _WIDTH)
            assert json.render(profile)
        except GoretainError as wrong:
            refused.append(wrong)
    with suppress(GoretainError):
        text.render_profile_diff(api.profile_diff(sound, damaged), _WIDTH)
    with suppress(GoretainError):
        text.render_growth(api.growth([sound, damaged]), _WIDTH)
    if refused:
        assert [str(wrong) for wrong in refused] == [str(refused[0])] * 2, "one reader took it"
        raise refused[0]


def _outcome(damaged: Path, sound: Path) -> dict[str, object]:
    try:
        _ask(damaged, sound)
    except CorruptFile as refused:
        return {"what": "refused", "error": refused.message, "offset": refused.offset}
    except Exception:
        return {"what": "failed", "error": traceback.format_exc()}
    return {"what": "read"}


if __name__ == "__main__":
    main(*sys.argv[1:])
