"""Every error goretain raises on purpose: one base, each with data and a hint.

The message says what is wrong (naming the offset, struct or field); the hint says what to do.
Front ends print both and exit with code 2. Imports nothing of goretain.
"""

from __future__ import annotations


class GoretainError(Exception):
    """Base of all errors that goretain raises on purpose.

    Attributes:
        message: what is wrong, one sentence.
        hint: what the user can do about it ("" when nothing is known to help).
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(GoretainError):
    """The arguments do not fit together."""


class NoSuchProcess(GoretainError):
    """There is no process with that PID."""

    def __init__(self, pid: int, *, hint: str = "") -> None:
        super().__init__(
            f"no process has PID {pid}",
            hint=hint or "list candidates with 'pgrep -a .'; inside a container the PID is another one",
        )
        self.pid = pid


class NotGoProgram(GoretainError):
    """The executable was not built by the Go toolchain, or carries nothing that says so."""


class UnsupportedArchitecture(GoretainError):
    """The target is 32-bit or of another architecture than amd64."""


class PermissionDenied(GoretainError):
    """The kernel does not let us trace or read the target."""


class AlreadyTraced(GoretainError):
    """Another tracer (a debugger, strace, a second goretain) holds the target."""

    def __init__(self, pid: int, tracer: int) -> None:
        super().__init__(
            f"process {pid} is already traced by process {tracer}",
            hint=f"end or detach the tracer first: ps -p {tracer}",
        )
        self.pid = pid
        self.tracer = tracer


class TargetGone(GoretainError):
    """The target ended while it was being read."""


class BinaryMismatch(GoretainError):
    """The binary given is not the one that the process or core ran."""


class CorruptFile(GoretainError):
    """A file is truncated or malformed.

    Attributes:
        path: the file.
        offset: byte offset of the first thing that does not fit (None where no single place is at fault).
    """

    def __init__(self, path: str, offset: int | None, reason: str, *, hint: str = "") -> None:
        where = f" at offset {offset:#x}" if offset is not None else ""
        super().__init__(f"{path}{where}: {reason}", hint=hint)
        self.path = path
        self.offset = offset
        self.reason = reason


class UnknownLayout(GoretainError):
    """A runtime struct is not laid out in a way that goretain understands."""

    def __init__(
        self,
        struct: str,
        field: str | None,
        go_version: str,
        *,
        described_by: str = "the debug information",
        message: str = "",
        hint: str = "",
    ) -> None:
        what = f"field {field!r} of {struct}" if field else f"struct {struct}"
        super().__init__(
            message or f"{what} not found in {described_by} of this {go_version} program",
            hint=hint
            or "goretain reads Go 1.21 to 1.27; build without -ldflags=-w so that DWARF is kept, or give an"
            " unstripped build of the same source with --binary",
        )
        self.struct = struct
        self.field = field
        self.go_version = go_version


class NoLayoutTable(UnknownLayout):
    """A program without debug information, of a Go version that goretain has no layout table for."""

    def __init__(self, go_version: str, known: list[str]) -> None:
        """known: release lines with tables, such as "1.27", the oldest first."""
        super().__init__(
            "runtime.mheap",
            None,
            go_version,
            message=f"this {go_version} program carries no debug information, and goretain has no table of"
            f" how the runtime of {go_version} is laid out (it has tables of Go {known[0]} to {known[-1]})",
            hint="give an unstripped build of the same source with --binary, or use a goretain that has"
            " the table",
        )


class RuntimeNotFound(UnknownLayout):
    """A variable of the runtime was not found in memory, or in more than one place."""

    def __init__(self, name: str, places: int, go_version: str) -> None:
        super().__init__(
            name,
            None,
            go_version,
            message=f"{name} was {f'found in {places} places' if places else 'not found'} in the memory of"
            f" this {go_version} program, which has no symbol table",
            hint="give an unstripped build of the same source with --binary",
        )


class MissingMemory(GoretainError):
    """An address was not captured; its content is unknown (never 0).

    Attributes:
        address, size: what was asked for, in bytes.
        what: what stands there, where it is something without which there is no answer; else "".
    """

    def __init__(
        self, address: int, size: int = 8, *, what: str = "", reason: str = "", hint: str = ""
    ) -> None:
        place = f"{size} bytes at {address:#x}"
        missing = f"{what} ({place})" if what else place
        super().__init__(f"{missing} were not captured{reason and ': '}{reason}", hint=hint)
        self.address = address
        self.size = size
        self.what = what


class ToolchainError(GoretainError):
    """A Go toolchain could not be found, installed or run."""


class OutOfTime(ToolchainError):
    """Go, or a program that it built, did not end in the time it was given; it was ended."""


class ModulesUnavailable(ToolchainError):
    """Go modules that a program needs could not be fetched."""


class NotEnoughMemory(GoretainError):
    """A copy would not fit into the memory that is left here."""


class PauseTooLong(GoretainError):
    """The target would have stood still, or did, for longer than was allowed; it runs again."""


class ResourceLimit(GoretainError):
    """A limit of our own (RLIMIT) or of the system stood in the way."""


class UnusableSchema(GoretainError):
    """A schema asks for what cannot be, or for what goretain does not read.

    Attributes:
        place: JSON Pointer of the place in the schema.
    """

    def __init__(self, name: str, place: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{name} at {place}: {reason}", hint=hint)
        self.place = place
