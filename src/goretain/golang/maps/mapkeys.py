"""Texts of map keys, for captures with data only: strings and integers; other keys stay unnamed.

Imports ``capture`` and the rooms of ``golang`` that lay maps out.
"""

from __future__ import annotations

from goretain.capture.image import Image
from goretain.golang.maps.maprows import MapColumns
from goretain.golang.types.gotypes import GoType
from goretain.model.errors import MissingMemory

_TEXT_LIMIT = 80  # characters of a key that are kept


def key_texts(image: Image, maps: MapColumns) -> list[str]:
    """One text per entry row, "" for keys that are no strings or integers."""
    texts: list[str] = []
    for at, key in zip(maps.key_at, maps.key_type, strict=True):
        texts.extend(_text(image, key, position) for position in at.tolist())
    return texts


def _text(image: Image, key: GoType, position: int) -> str:
    raw = image.memory[position : position + min(key.size, 16)].tobytes()
    if key.kind == "string":
        address, length = int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:16], "little")
        try:
            return image.read(address, min(length, _TEXT_LIMIT)).decode("utf-8", "replace") if length else ""
        except MissingMemory:
            return ""
    if key.kind.startswith(("int", "uint")):
        return str(int.from_bytes(raw[: key.size], "little", signed=key.kind.startswith("int")))
    return ""
