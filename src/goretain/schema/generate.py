"""From the bytes of a schema or of samples to Go files: reads, makes types, writes, formats.

``support/*.go`` are written beside the types as they are, so that generated code needs no module. Imports
this package, ``toolchain`` and ``model``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goretain.model.errors import UsageError
from goretain.schema import emit_decode, emit_paths, emit_tests, emit_types, jsonschema, samples
from goretain.schema.documents import documents
from goretain.schema.gotext import comment
from goretain.schema.model import Package
from goretain.schema.naming import RESERVED, check_package, check_type, exported
from goretain.schema.paths import Extract, extract
from goretain.schema.rewrite import box_cycles, prune
from goretain.toolchain import Toolchain, find_toolchain

_SUPPORT = Path(__file__).with_name("support")
#: The generator's own files in a package; they are the same whatever the types are.
SUPPORT_FILES = {"document.go": "goretain_json.go", "document_test.go": "goretain_json_test.go"}
#: Levels of a schema's text: a level of a document takes about three.
_SCHEMA_DEEPEST = 200
_IMPORT = re.compile(r"\b(json|io|time)\.")
#: Comments and literals, in which names of packages are none.
_NO_CODE = re.compile(r'(?m)^\s*//.*$|"(?:[^"\\\n]|\\.)*"|`[^`]*`')
_PACKAGES = {"json": "encoding/json", "io": "io", "time": "time"}

#: Words by which a schema is known that does not say that it is one.
_STRUCTURE = ("properties", "$defs", "definitions", "allOf", "anyOf", "oneOf")

#: Called with what is done, how much of it and how much there is.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What to make of the input.

    Attributes:
        type: name of the document's type, "" for one from the input's name.
        package: of the Go files.
        keep_unknown: structs keep keys that the input does not name.
        paths: decode only these, such as ``orders[*].price`` or ``total=order.sum``; none: everything.
        declared: names that the package's files declare, by file.
        toolchain: whose gofmt formats; None: the one on PATH or the newest.
    """

    type: str = ""
    package: str = "model"
    keep_unknown: bool = False
    paths: tuple[str, ...] = ()
    declared: Mapping[str, frozenset[str]] = field(default_factory=dict)
    toolchain: Toolchain | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """Go files.

    Attributes:
        source: name of what they were made from.
        package: the types; paths: what is decoded of a document, None: all of it.
        types: the types' file, without those of ``support``.
        files: file name -> Go source, formatted.
    """

    source: str
    package: Package
    paths: Extract | None
    types: str
    files: dict[str, str] = field(repr=False, default_factory=dict)


def from_schema(document: Any, name: str, options: Options, *, progress: Progress | None = None) -> Generated:
    """Go of a JSON Schema, parsed (see ``read_schema``).

    Raises:
        UnusableSchema: no types can be made of it; says where.
        UsageError: the options do not fit.
        ToolchainError: there is no gofmt.
    """
    root = _root(options, document, name)
    package = jsonschema.from_schema(
        document, name, _whole(options, root), keep_unknown=options.keep_unknown, taken=_taken(options, root)
    )
    return _generated(package, root, name, options, progress)


def from_samples(
    inputs: Sequence[tuple[str, bytes]], options: Options, *, progress: Progress | None = None
) -> Generated:
    """Go of sample documents: files of one or many, each with its name.

    Raises:
        CorruptFile: one cannot be read; says where.
        UsageError: the options or the samples do not fit.
        ToolchainError: there is no gofmt.
    """

    def all_documents() -> Iterator[Any]:
        for name, raw in inputs:
            reading = (
                None
                if progress is None
                else lambda at, whole, name=name: progress(f"reading {name}", at, whole)
            )
            yield from documents(raw, name, reading=reading)

    root = _root(options, None, inputs[0][0])
    package = samples.from_samples(
        all_documents(), _whole(options, root), keep_unknown=options.keep_unknown, taken=_taken(options, root)
    )
    return _generated(package, root, inputs[0][0], options, progress)


def read_schema(raw: bytes, name: str) -> Any:
    """The schema document of a file, parsed; keys that stand twice are refused.

    Raises:
        CorruptFile: it is neither JSON nor YAML, or holds several documents.
    """
    if name.lower().endswith((".yaml", ".yml")):
        from goretain.schema import yamltext

        return yamltext.document(raw, name)
    found = list(documents(raw, name, deepest=_SCHEMA_DEEPEST, doubled=False))
    if len(found) > 1:
        raise UsageError(
            f"{name} holds {len(found)} documents: a schema is one", hint="--samples, if they are samples"
        )
    return found[0]


def is_schema(raw: bytes, name: str) -> bool:
    """Whether the first document of a file is more likely a JSON Schema than a sample.

    Raises:
        CorruptFile: it cannot be read.
    """
    document = next(documents(raw, name, deepest=_SCHEMA_DEEPEST))
    if not isinstance(document, dict):
        return False
    if isinstance(document.get("$schema"), str) or isinstance(document.get("$ref"), str):
        return True
    return any(isinstance(document.get(word), (dict, list)) for word in _STRUCTURE)


def _root(options: Options, document: Any, name: str) -> str:
    if options.type:
        return check_type(options.type)
    title = document.get("title") if isinstance(document, dict) else None
    stem = Path(name).name.split(".")[0]
    for text in (title, stem):
        wanted = exported(text, "") if isinstance(text, str) and len(text) <= 40 else ""
        if wanted and wanted.isascii() and wanted not in RESERVED:
            return check_type(wanted)
    return "Document"


def _whole(options: Options, root: str) -> str:
    """The name for the whole document's type, of which paths take parts."""
    return f"{root}Document" if options.paths else root


def _taken(options: Options, root: str) -> frozenset[str]:
    """Names that no type may have; the root's must be free. Files that will be written over do not count."""
    own = emit_paths.names(root) if options.paths else emit_tests.names(root)
    ours = {*_file_names(root), *SUPPORT_FILES.values()}
    taken = frozenset(name for file, names in options.declared.items() if file not in ours for name in names)
    if {root, *own} & taken:
        raise UsageError(f"the package declares {root} already", hint="choose another name: --type")
    return taken | RESERVED | own


def _file_names(root: str) -> tuple[str, str]:
    """Files of the types and of their test; without an underscore no name is a build constraint."""
    return f"{root.lower()}.go", f"{root.lower()}_test.go"


def _generated(
    package: Package, root: str, source: str, options: Options, progress: Progress | None
) -> Generated:
    """The files of a package's types, or of what some paths take of them."""
    check_package(options.package)
    extracted = extract(package, root, options.paths) if options.paths else None
    prune(package)
    box_cycles(package)
    toolchain = options.toolchain or find_toolchain()
    if progress is not None:
        progress("formatting", 0, 0)
    own, test = _file_names(package.root)
    types = _go(_types(package, extracted, source), options.package)
    files = {own: types, test: _go(_tests(package, extracted), options.package, ("testing",))}
    files = {name: toolchain.gofmt(text) for name, text in files.items()}
    for name, made in SUPPORT_FILES.items():
        text = (_SUPPORT / name).read_text("utf-8")
        files[made] = text.replace("package support", f"package {options.package}", 1)
    return Generated(source, package, extracted, own, files)


def _types(package: Package, extracted: Extract | None, source: str) -> str:
    lines = [comment(f"Made from {Path(source).name}.")]
    lines += [comment(f"Note: {note}") for note in package.notes]
    parts = ["".join(lines) + "\n"]
    for name, declared in package.types.items():
        if extracted is not None and name == package.root:
            parts.append(emit_paths.source(extracted))
        else:
            parts.append(emit_types.declaration(declared) + emit_decode.decoding(declared, package))
    if extracted is None:
        parts.append(emit_decode.from_stream(package.root))
    return "".join(parts)


def _tests(package: Package, extracted: Extract | None) -> str:
    return emit_tests.tests(package) if extracted is None else emit_paths.tests(extracted)


def _go(body: str, package: str, extra: Sequence[str] = ()) -> str:
    """A whole file: header, imports that are used, body."""
    code = _NO_CODE.sub("", body)
    used = sorted({*extra, *(_PACKAGES[word] for word in _IMPORT.findall(code))})
    imports = "".join(f'"{name}"\n' for name in used)
    head = f"// Code generated by goretain schema; DO NOT EDIT.\n\npackage {package}\n\n"
    return f"{head}import (\n{imports})\n\n{body}" if used else head + body


def single_file(generated: Generated) -> str:
    """The types and their support in one file, to be printed: without the tests."""
    types, support = generated.files[generated.types], generated.files[SUPPORT_FILES["document.go"]]
    imports: dict[str, None] = {}
    bodies = []
    for text in (types, support):
        head, _, rest = text.partition("\n\npackage ")
        rest = rest.partition("\n")[2]
        found = re.match(r"\s*import \(\n(.*?)\n\)\n", rest, re.DOTALL)
        if found:
            imports |= dict.fromkeys(line.strip() for line in found[1].split("\n"))
            rest = rest[found.end() :]
        bodies.append(rest.strip("\n"))
    listed = "".join(f"\t{name}\n" for name in sorted(imports))
    package = re.search(r"(?m)^package (\w+)$", types)
    assert package is not None
    return f"{head}\n\npackage {package[1]}\n\nimport (\n{listed})\n\n" + "\n\n".join(bodies) + "\n"
