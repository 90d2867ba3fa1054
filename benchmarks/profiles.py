"""Heap profiles of real Go programs, as large as one likes: what ``bench_profiles`` reads.

The program is generated: functions that call each other along paths that are drawn by chance, from several
lines each, and allocate at the end of each path with MemProfileRate=1. So every path is a sample, and the
profile is written by Go's own runtime/pprof.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.golang import VERSIONS, go_program

_FUNCTIONS, _LINES, _DEPTH = 500, 6, 22
_MAIN = """package main

import (
	"math/rand"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
)

var keep []*[4]int64

func number(at int) int {
	n, err := strconv.Atoi(os.Args[at])
	if err != nil {
		panic(err)
	}
	return n
}

// Arguments: paths that there are, paths to allocate on, seed of the choice, file.
func main() {
	runtime.MemProfileRate = 1
	paths, rng := number(1), rand.New(rand.NewSource(1))
	pool := make([][]uint16, paths)
	for i := range pool {
		pool[i] = make([]uint16, %(depth)d)
		for k := range pool[i] {
			pool[i][k] = uint16(rng.Intn(%(functions)d * 8))
		}
	}
	host := rand.New(rand.NewSource(int64(number(3))))
	for _, i := range host.Perm(paths)[:number(2)] {
		for times := host.Intn(4); times >= 0; times-- {
			table[pool[i][0]>>3](pool[i], 0)
		}
	}
	runtime.GC()
	runtime.GC()
	file, err := os.Create(os.Args[4])
	if err != nil {
		panic(err)
	}
	if err := pprof.Lookup("heap").WriteTo(file, 0); err != nil {
		panic(err)
	}
	file.Close()
}

var table [%(functions)d]func([]uint16, int)

func init() {
	table = [%(functions)d]func([]uint16, int){%(names)s}
}
"""
_FUNCTION = """
//go:noinline
func handle%(name)d(path []uint16, at int) {
	if at == len(path) {
		keep = append(keep, new([4]int64))
		return
	}
	next := table[path[at]>>3]
	switch path[at] %% %(lines)d {
%(cases)s
	}
}
"""


def program(folder: Path) -> Path:
    """The compiled program; its sources go to ``folder``."""
    cases = "\n".join(f"\tcase {k}:\n\t\tnext(path, at+1)" for k in range(_LINES))
    names = ", ".join(f"handle{k}" for k in range(_FUNCTIONS))
    source = _MAIN % {"depth": _DEPTH, "functions": _FUNCTIONS, "names": names}
    for k in range(_FUNCTIONS):
        source += _FUNCTION % {"name": k, "lines": _LINES, "cases": cases}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text("module goretain.test/manystacks\n\ngo 1.21\n")
    (folder / "main.go").write_text(source)
    return go_program(folder, VERSIONS[-2])


def write(binary: Path, paths: int, chosen: int, seed: int, file: Path) -> None:
    """A heap profile of ``chosen`` of ``paths`` stacks."""
    subprocess.run([binary, str(paths), str(chosen), str(seed), str(file)], check=True)
