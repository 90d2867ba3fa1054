"""Exports of a real program: what Go's own pprof reads out of one is what ``why`` says, to the byte."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from goretain.toolchain import Toolchain
from tests.support.golang import VERSIONS, go_program, running, toolchain, wait_until_blocked

GORETAIN = [sys.executable, "-m", "goretain.cli.main"]


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a snapshot of tests/zoo/planted, ``why`` of it in JSON, and its profile."""
    folder = tmp_path_factory.mktemp("export")
    with running(go_program("planted", VERSIONS[-1]), ["janitor"], env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        saved = ["--save", str(folder / "heap.goretain"), "--json", "--top", "100000"]
        report = subprocess.run(
            [*GORETAIN, "why", str(target.pid), *saved], capture_output=True, check=True
        ).stdout
    (folder / "why.json").write_bytes(report)
    export(folder, "heap.pb.gz")
    return folder


def export(folder: Path, name: str, *arguments: str) -> bytes:
    command = [*GORETAIN, "export", str(folder / "heap.goretain"), *arguments, "-o", str(folder / name)]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / name).read_bytes()


def go() -> Toolchain:
    return toolchain(VERSIONS[-1])


def top(folder: Path, kind: str) -> dict[str, tuple[int, int]]:
    """What ``go tool pprof -top`` prints: name -> flat and cumulative amount."""
    every = ["-nodecount=1000000", "-nodefraction=0", "-edgefraction=0"]
    arguments = ["tool", "pprof", "-top", *every, f"-sample_index={kind}", "-unit=B", "heap.pb.gz"]
    if kind.endswith("objects"):
        arguments.remove("-unit=B")
    done = go().run(arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    share = r"[\de.-]+%"  # as small as 6.3e-05%
    line = rf"^ *(\d+)B? +{share} +{share} +(\d+)B? +{share}  (.*)$"
    rows = re.findall(line, done.stdout, re.MULTILINE)
    assert rows, done.stdout
    return {name: (int(flat), int(total)) for flat, total, name in rows}


@pytest.mark.parametrize("amount", ["inuse", "retained"])
def test_names_counts_and_bytes_of_the_profile_are_those_of_why(looked: Path, amount: str) -> None:
    report = json.loads((looked / "why.json").read_bytes())
    space, objects = top(looked, f"{amount}_space"), top(looked, f"{amount}_objects")
    holders: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for row in report["holders"]:
        holders[row["name"]] += row["retained_bytes"]
        counts[row["name"]] += row["retained_objects"]
    assert holders["main.pages"] > 3_000_000
    for name, size in holders.items():
        if size:
            assert (space[name][1], objects[name][1]) == (size, counts[name]), name
    for row in report["types"]:
        name = row["type"] or "(type unknown)"
        assert (space[name][0], objects[name][0]) == (row["bytes"], row["objects"]), name
    (shared,) = [row for row in report["shared"] if set(row["holders"]) == {"main.left", "main.right"}]
    name = "main.left and main.right"
    assert (space[name][1], objects[name][1]) == (shared["bytes"], shared["objects"])
    assert sum(flat for flat, _ in space.values()) == report["heap"]["reachable_bytes"]
    assert sum(flat for flat, _ in objects.values()) == report["heap"]["reachable_objects"]


def test_the_profile_opens_in_a_browser(looked: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(go().go), "tool", "pprof", "-no_browser", f"-http=127.0.0.1:{port}", "heap.pb.gz"]
    process = subprocess.Popen(
        command, cwd=looked, env=go().environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        for page in ("ui/flamegraph", "ui/top"):
            text = _get(f"http://127.0.0.1:{port}/{page}")
            assert "main.pages.entries[key].body" in text
            assert "inuse_space" in text
            assert "retained_space" in text
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _get(url: str) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                text: str = answer.read().decode()
                return text
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_folded_stacks_and_json_have_the_same_bytes(looked: Path) -> None:
    report = json.loads((looked / "why.json").read_bytes())
    folded = export(looked, "heap.folded").decode().splitlines()
    by_holder: Counter[str] = Counter()
    for line in folded:
        stack, _, size = line.rpartition(" ")
        by_holder[stack.partition(";")[0]] += int(size)
    tree = json.loads(export(looked, "tree.json"))
    assert by_holder == {node["link"]: node["bytes"] for node in tree["chains"]}
    named = {
        row["name"]: row["retained_bytes"]
        for row in report["holders"]
        if row["retained_bytes"] and not row["name"].startswith("goroutine ")
    }
    assert named.items() <= by_holder.items()
    assert tree["bytes"] == sum(by_holder.values()) == report["heap"]["reachable_bytes"]
    assert any(line.startswith("main.pages;.entries;[key];.body;[]byte ") for line in folded)


def test_the_chain_of_one_type_is_drawn(looked: Path) -> None:
    picture = export(looked, "entry.svg", "main.entry").decode()
    assert all(f">{text}</text>" in picture for text in ("main.pages", ".entries", "[key]"))
    graph = export(looked, "entry.dot", "main.entry").decode()
    assert re.search(r'n0 \[label="main\.pages\\l', graph)
    assert "n0 -> n1" in graph
