"""goretain.toml: what it allows, and what it says of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from goretain.gate.config import Bytes, Config, find_config, matches, read_config
from goretain.gate.tomlfile import line_of
from goretain.model.errors import UsageError

WHOLE = """\
[gate]
bytes = "16 B"
objects = 0.5

[[gate.limit]]
package = "example.com/shop/..."
benchmark = "BenchmarkDecode*"
bytes = "1KiB"

[[gate.limit]]
benchmark = "BenchmarkDecodeSmall"
goroutines = 2

[[gate.known]]
function = "example.com/shop.(*Index[...]).Add"
reason = "the index is the product"
bytes = 64
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "goretain.toml"
    path.write_text(text)
    return path


def refusal(folder: Path, text: str) -> tuple[str, str]:
    path = written(folder, text)
    with pytest.raises(UsageError) as caught:
        read_config(path)
    assert str(path) in caught.value.message
    return caught.value.message.removeprefix(str(path)), caught.value.hint


def test_the_last_word_of_each_limit_counts(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, WHOLE))
    shop = "example.com/shop/json"

    def limits(package: str, benchmark: str) -> tuple[float | None, float | None, float | None]:
        found = config.limits(package, benchmark)
        return found.bytes, found.objects, found.goroutines

    assert limits("example.com/other", "BenchmarkX") == (16, 0.5, None)
    assert limits(shop, "BenchmarkDecodeLarge") == (1024, 0.5, None)
    assert limits(shop, "BenchmarkDecodeSmall") == (1024, 0.5, 2)
    assert limits("example.com/other", "BenchmarkDecodeSmall") == (16, 0.5, 2)


def test_what_is_over_a_limit(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, WHOLE))
    limits = config.limits("example.com/other", "BenchmarkX")
    assert limits.excess(16, 0.5) is None
    assert limits.excess(16.5, 0.1) == "the limit is 16 B"
    assert limits.excess(1, 0.6) == "the limit is 0.5 objects"
    assert limits.excess_goroutines(0.01) == "none may be left"
    some = config.limits("example.com/other", "BenchmarkDecodeSmall")
    assert some.excess_goroutines(2) is None
    assert some.excess_goroutines(2.1) == "the limit is 2 goroutines"


def test_without_a_file_nothing_may_grow(tmp_path: Path) -> None:
    config = find_config(tmp_path)
    assert config == Config()
    assert config.limits("p", "BenchmarkX").excess(0.001, 0) is not None


def test_known_sites_are_found_by_any_function_on_the_way(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, WHOLE))
    way = ["bytes.growSlice", "example.com/shop.(*Index[...]).Add"]
    known = config.known("p", "BenchmarkX", way)
    assert known is not None
    assert known.reason == "the index is the product"
    assert known.excess(64, 1) is None
    assert known.excess(65, 1) == "the limit is 64 B"
    assert known.excess_goroutines(7) is None
    assert config.known("p", "BenchmarkX", ["example.com/shop.Index.Add", ""]) is None


def test_the_nearest_file_up_to_the_module_counts(tmp_path: Path) -> None:
    module, package = tmp_path / "module", tmp_path / "module" / "a" / "b"
    package.mkdir(parents=True)
    (module / "go.mod").write_text("module example.com/shop")
    written(tmp_path, "[gate]\nbytes = 1")
    assert find_config(package).path is None
    written(module, "[gate]\nbytes = 2")
    assert find_config(package).gate.bytes == Bytes(2)
    written(package, "")
    assert find_config(package).path == package / "goretain.toml"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "[gate]\nbites = 3",
            " line 2, [gate]: there is no key 'bites'; perhaps 'bytes' is meant",
            "bytes, ",
        ),
        ("x = 1\n[gate]", " line 1: there is no key 'x'", "keys of the file are gate"),
        (
            "[[gate.known]]\nfunction = 'f'\nreason = 'r'\n\n[[gate.known]]\nfunction = 'g'",
            " line 5, [[gate.known]]: the key 'reason' is missing",
            "",
        ),
        (
            "[[gate.limit]]\nbytes=1\n[[gate.limit]]\nbytes = '3 zorks'",
            " line 4, [[gate.limit]]: bytes: '3 zorks' is not a size; write 64, 0.5 or '4KiB'",
            "",
        ),
        ("[gate]\nbytes = -1", " line 2, [gate]: bytes: -1 is not a size; write 64, 0.5 or '4KiB'", ""),
        ("[gate]\nbytes = nan", " line 2, [gate]: bytes: nan is not a size; write 64, 0.5 or '4KiB'", ""),
        ("[gate]\nbytes = true", " line 2, [gate]: bytes: True is not a size; write 64, 0.5 or '4KiB'", ""),
        ("[gate]\nobjects = '3'", " line 2, [gate]: objects: a number is wanted, not a text", ""),
        ("gate.objects = -3", " line 1, [gate]: objects: a number of 0 or more is wanted", ""),
        ("[gate]\nlimit = 3", " line 2, [gate]: limit: a list is wanted, not a number", ""),
        ("gate = 3", " line 1: gate: a table is wanted, not a number", ""),
        (
            "[[gate.known]]\nfunction = ''\nreason = 'r'",
            " line 2, [[gate.known]]: function: a text that is not empty is wanted",
            "",
        ),
        (
            "[[gate.limit]]\npackage = './cache'",
            " line 1, [[gate.limit]]: package: write import paths, as go list prints them, not './cache'",
            "",
        ),
        ("[gate]\nknown = [{x = 1}]", " line 2, [[gate.known]]: there is no key 'x'", "function"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, text: str, message: str, hint: str) -> None:
    said, advice = refusal(tmp_path, text)
    assert said == message
    assert hint in advice
    assert "docs/gate-ci.md" in advice


def test_files_that_are_none(tmp_path: Path) -> None:
    assert "is no TOML: " in refusal(tmp_path, "[gate\n")[0]
    path = tmp_path / "other.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="no UTF-8 text"):
        read_config(path)
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_config(tmp_path)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_config(tmp_path / "none.toml")


def test_the_example_of_the_docs_is_right_and_shows_every_key(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "gate-ci.md").read_text()
    example = page.partition("```toml\n")[2].partition("```")[0]
    gate = read_config(written(tmp_path, example)).gate
    assert (gate.bytes, gate.objects, gate.goroutines) == (Bytes(16), 0.5, 0.0)
    assert [one.bytes for one in gate.limit] == [Bytes(1024)]
    assert gate.known[0].excess(4096, 1) is None
    for struct in (gate, *gate.limit, *gate.known):
        assert all(key in example for key in struct.__struct_fields__)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*", "", True),
        ("main.f", "main.f", True),
        ("main.f", "main.fg", False),
        ("main.*", "main.(*T).f", True),
        ("main.(*T[...]).f", "main.(*T[...]).f", True),
        ("example.com/a/...", "example.com/a/b/c", True),
        ("example.com/a/...", "example.com/b", False),
        ("[ab]", "a", False),
    ],
)
def test_patterns(pattern: str, name: str, fits: bool) -> None:
    assert matches(pattern, name) is fits


def test_lines_of_what_is_written_inline_are_those_of_its_table() -> None:
    text = "# [gate]\n[gate] # ours\nlimit = [{bytes = 1}, {bytes = 2}]\n"
    assert line_of(text, ["gate", "limit", 1, "bytes"]) == 3
    assert line_of(text, ["gate", "bytes"]) == 2
    assert line_of(text, ["lint"]) is None
