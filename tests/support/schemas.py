"""Hostile schemas and samples by hypothesis, and one Go package that holds what is generated of them.

Compiling is dear, so that many inputs are collected first and their types then checked together: by the
compiler, vet, gofmt, the generated tests, and by writing every sample back.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goretain.model.errors import CorruptFile, UnusableSchema, UsageError
from goretain.schema import Generated, Options, from_samples, from_schema
from goretain.schema.gotext import quoted
from tests.support.golang import toolchain

#: What a schema or a document may be refused with.
REFUSALS = (CorruptFile, UnusableSchema, UsageError)

ODD_KEYS = [
    "", "-", ",", "a,b", "a b", "A", "a", "_a", "a_", "a-", "a.b", "a[0]", "\"", "\\", "`", "'",
    "type", "func", "range", "nil", "string", "error", "int", "len", "json", "json.x", "io.y",
    "Extra", "extra", "UnmarshalJSON", "MarshalJSON", "unmarshal_json", "id", "ID", "Id", "iD",
    "url", "1", "1a", "é", "É", "ß", "日本", "ñ", "ǆ", "́", "\u200b", "😀", "\u0000", "\u007f",
    "\ufeff", "�", "\u2028", "\n", "/", "~", "~1", "%", "$ref", "%2F", "value", "err", "r", "v",
    "seen", "key", "name", "first", "goes", "x" * 300, "Document", "DecodeError", "omitempty", "-,",
    "string,",
]  # fmt: skip
_text = st.characters(exclude_categories=["Cs"])
_TIMES = ["2026-01-02T03:04:05Z", "2026-02-30T00:00:00Z", "2026-01-02T03:04:05.120Z"]
_LARGE = [2**63, 2**64, -(2**63) - 1, 10**400, 1e308, -0.0, 0]
_DESCRIPTIONS = ["+build x", "*/", "//go:embed x"]
keys = st.sampled_from(ODD_KEYS) | st.text(_text, max_size=6)
_numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(_LARGE)
scalars = st.none() | st.booleans() | _numbers | st.text(_text, max_size=8) | st.sampled_from(_TIMES)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=25,
)
_names = st.sampled_from(["a", "A", "b", "Case", "if", "", "x y"])
_places = ["#", *(f"#/$defs/{name}" for name in ("a", "A", "b", "Case", "if", "", "x%20y")), "#/properties/a"]
_refs = st.sampled_from(_places)
_types = st.sampled_from(["string", "number", "integer", "boolean", "object", "array", "null"])


def _words(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A schema of some words, most of them with values that they may have."""
    schemas = st.lists(inner, min_size=1, max_size=3)
    properties = st.dictionaries(keys, inner, max_size=5)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": _types | st.lists(_types, min_size=1, max_size=3),
            "properties": properties,
            "required": st.lists(keys, max_size=3),
            "additionalProperties": inner | st.booleans(),
            "patternProperties": properties,
            "items": inner | st.booleans() | schemas,
            "prefixItems": schemas,
            "oneOf": schemas,
            "anyOf": schemas,
            "allOf": schemas,
            "enum": st.lists(scalars, min_size=1, max_size=4),
            "const": documents,
            "format": st.sampled_from(["date-time", "email", "int32", "uint64", "uuid"]),
            "minLength": st.integers(0, 5) | _numbers,
            "minimum": _numbers,
            "maximum": _numbers,
            "exclusiveMinimum": _numbers | st.booleans(),
            "minItems": st.integers(-1, 3),
            "uniqueItems": st.booleans(),
            "description": st.text(_text, max_size=20) | st.sampled_from(_DESCRIPTIONS),
            "title": keys,
            "nullable": st.booleans(),
            "not": inner,
        },
    )


_leaves = st.fixed_dictionaries({"type": _types}) | st.fixed_dictionaries({"$ref": _refs}) | st.booleans()
_schemas = st.recursive(_leaves, _words, max_leaves=12)
schemas = st.builds(
    lambda root, defs: {**root, "$defs": defs} if isinstance(root, dict) else root,
    _words(_schemas) | _schemas,
    st.dictionaries(_names, _schemas, min_size=3),
)


def paths_in(document: Any, prefix: str = "") -> list[str]:
    """Paths to all scalars of a document, each key in quotes."""
    if isinstance(document, dict):
        return [p for key, inner in document.items() for p in paths_in(inner, f"{prefix}[{json.dumps(key)}]")]
    if isinstance(document, list):
        return [path for inner in document[:2] for path in paths_in(inner, f"{prefix}[*]")]
    return [prefix]


def collected(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """Values of a strategy, the same in every run."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


class GoPackage:
    """A directory with one Go package, to which the types of many inputs are added."""

    def __init__(self, folder: Path, version: str = "1.27.3") -> None:
        self.folder = folder
        self._toolchain = toolchain(version)
        self._declared: dict[str, frozenset[str]] = {}
        self._kept: list[str] = []
        self.count = 0
        (folder / "go.mod").write_text("module generated\n\ngo 1.21\n")

    def options(self, **more: Any) -> Options:
        """Options for the next types."""
        return Options(type=f"T{self.count:03}", declared=self._declared, toolchain=self._toolchain, **more)

    def add(self, generated: Generated, samples: Sequence[str] = ()) -> None:
        """Add types, and samples that they must write back."""
        self.count += 1
        for name, text in generated.files.items():
            (self.folder / name).write_text(text, "utf-8")
        self._declared[generated.types] = frozenset(generated.package.types)
        rows = "".join(f"{quoted(text)},\n" for text in samples)
        if samples:
            root = generated.package.root
            head = f"func TestKeeps{self.count}(t *testing.T) {{\n"
            self._kept.append(f"{head}checkKeeps[{root}](t, []string{{\n{rows}}})\n}}\n")

    def add_samples(self, documents: Sequence[Any], **more: Any) -> None:
        """Add the types of samples, which they must write back."""
        texts = [json.dumps(document, ensure_ascii=False) for document in documents]
        raw = "\n".join(texts).encode()
        self.add(
            from_samples([("samples.json", raw)], self.options(**more)), [] if more.get("paths") else texts
        )

    def add_schema(self, document: Any, **more: Any) -> None:
        """Add the types of a schema."""
        self.add(from_schema(document, "schema.json", self.options(**more)))

    def check(self, version: str) -> None:
        """Formatted, clean by vet, and all tests hold, with one version of Go."""
        chosen = toolchain(version)
        if self._kept:
            (self.folder / "keeps_test.go").write_text(_KEEPS + "\n".join(self._kept), "utf-8")
        files = [str(path) for path in self.folder.glob("*.go") if path.name != "keeps_test.go"]
        listed = subprocess.run(
            [chosen.goroot / "bin" / "gofmt", "-l", *files], capture_output=True, text=True, check=True
        )
        assert listed.stdout == ""
        for command in (["vet", "."], ["test", "."]):
            done = chosen.run(command, cwd=self.folder)
            assert done.returncode == 0, (done.stdout + done.stderr)[:8000]


#: Every member of a document stands in what is written of it, but for null where a key need not be there.
_KEEPS = """package model

import (
	"reflect"
	"testing"
)

func checkKeeps[T any](t *testing.T, documents []string) {
	t.Helper()
	for _, document := range documents {
		text := written[T](t, []byte(document))
		want, got := withoutNull(plainJSON(t, []byte(document))), withoutNull(plainJSON(t, text))
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%s\\nwas written as\\n%s", document, text)
		}
	}
}

func withoutNull(value any) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = withoutNull(value[i])
		}
	case map[string]any:
		for key, inner := range value {
			if inner == nil {
				delete(value, key)
			} else {
				value[key] = withoutNull(inner)
			}
		}
	}
	return value
}

"""
