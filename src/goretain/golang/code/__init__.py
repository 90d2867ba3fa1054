"""What the program's machine code says about its types and data; :class:`CodeEvidence` is the way in."""

from goretain.golang.code.evidence import Claim, CodeEvidence, Element, Receiver, References, Slot, ValueKind

__all__ = ["Claim", "CodeEvidence", "Element", "Receiver", "References", "Slot", "ValueKind"]
