"""What the Go linker writes into every binary, stripped or not: version, modules, build settings.

Source: debug/buildinfo/buildinfo.go and runtime/debug/mod.go. The blob stands in section .go.buildinfo, or at
a multiple of 16 in a writable segment. Only the inline format of Go 1.18 and later is read: the older
one points into memory, and those versions are not supported anyway. Imports nothing of goretain.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAGIC = b"\xff Go buildinf:"
_INLINE = 2
_HEADER = 32
_SENTINEL = 16


@dataclass(frozen=True, slots=True)
class GoBuildInfo:
    """Module information of a binary.

    Attributes:
        path: import path of the main package ("" when unknown).
        main: module path of the main module ("" when built outside a module).
        deps: module paths of the dependencies.
        settings: -ldflags, GOOS, vcs.revision and the like.
        versions: of the modules, by module path; of replaced ones what they were replaced by.
    """

    path: str
    main: str
    deps: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


def find(data: bytes, address: int = 0) -> int:
    """Position of the blob in data, -1 when there is none. address: of data; a blob's is a multiple of 16."""
    at = data.find(MAGIC)
    while at >= 0 and (address + at) % 16:
        at = data.find(MAGIC, at + 1)
    return at


def decode(blob: bytes) -> tuple[str, str] | None:
    """(Go version, module text) of a blob that starts with the magic; None when the format is another."""
    if not blob.startswith(MAGIC) or len(blob) < _HEADER or not blob[15] & _INLINE:
        return None
    version, at = _string(blob, _HEADER)
    modules, _ = _string(blob, at)
    # The text is framed by two 16-byte sentinels, so that it can be found in memory.
    framed = len(modules) >= 2 * _SENTINEL + 1 and modules[-_SENTINEL - 1 : -_SENTINEL] == b"\n"
    text = modules[_SENTINEL:-_SENTINEL] if framed else b""
    return version.decode("utf-8", "replace"), text.decode("utf-8", "replace")


def parse_modules(text: str) -> GoBuildInfo:
    """The module text: lines of ``path``, ``mod``, ``dep``, ``=>`` and ``build``, separated by tabs."""
    path = main = ""
    deps: list[str] = []
    settings: dict[str, str] = {}
    versions: dict[str, str] = {}
    module = ""
    for line in text.splitlines():
        kind, _, rest = line.partition("\t")
        first, _, about = rest.partition("\t")
        if kind == "path":
            path = rest
        elif kind == "mod":
            main = module = first
            versions[module] = about.partition("\t")[0]
        elif kind == "dep":
            deps.append(first)
            module = first
            versions[module] = about.partition("\t")[0]
        elif kind == "=>":
            versions[module] = f"{first} {about.partition(chr(9))[0]}".rstrip()
        elif kind == "build":
            key, _, value = rest.partition("=")
            settings[key] = value
    return GoBuildInfo(path, main, deps, settings, versions)


def _string(blob: bytes, at: int) -> tuple[bytes, int]:
    """A varint length and that many bytes; what is missing is left out."""
    size = shift = 0
    while at < len(blob) and shift < 63:
        byte = blob[at]
        at += 1
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    return blob[at : at + size], at + size
