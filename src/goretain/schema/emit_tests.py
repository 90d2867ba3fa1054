"""Writes the test of a type: documents there and back, and errors that name the place.

Imports this package.
"""

from __future__ import annotations

from goretain.schema.examples import accepted, refused
from goretain.schema.gotext import comment, quoted
from goretain.schema.model import Package


def tests(package: Package) -> str:
    """The test functions of the root type."""
    root = package.root
    documents = "".join(f"{quoted(document)},\n" for document in accepted(package))
    folder = f"testdata/{root.lower()}"
    text = (
        comment(f"Documents of your own go into {folder}/*.json.")
        + f"func Test{root}RoundTrip(t *testing.T) {{\n"
        + f"checkRoundTrip[{root}](t, {quoted(folder)}, []string{{\n{documents}}})\n}}\n\n"
    )
    wrong = "".join(f"{{{quoted(document)}, {quoted(error)}}},\n" for document, error in refused(package))
    if wrong:
        text += (
            f"func Test{root}NamesThePlace(t *testing.T) {{\n"
            f"checkRefuses[{root}](t, [][2]string{{\n{wrong}}})\n}}\n\n"
        )
    return text


def names(root: str) -> frozenset[str]:
    """Names that the root's functions take in the package."""
    return frozenset({f"Test{root}RoundTrip", f"Test{root}NamesThePlace", f"Decode{root}"})
