// Experiment of substring-pins-string: an index that keeps a few bytes of each line it read.
//
//	leak   main.index keeps line[7:15] of 4 KiB lines; main.title keeps 3 bytes of a 1 MiB document
//	fixed  the same, through strings.Clone
package main

import (
	"os"
	"runtime"
	"strings"
	"time"
)

const (
	lines    = 1000
	lineSize = 4 << 10
	document = 1 << 20
)

type record struct {
	id   uint64
	user string
}

var (
	index = make(map[uint64]record, lines)
	title string

	// healthy neighbour: a whole string, and a view of nearly all of it
	text, body string
)

func keep(part string, fixed bool) string {
	if fixed {
		return strings.Clone(part)
	}
	return part
}

func main() {
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	for id := uint64(0); id < lines; id++ {
		line := strings.Repeat("x", lineSize)
		index[id] = record{id: id, user: keep(line[7:15], fixed)}
	}
	title = keep(strings.Repeat("t", document)[2:5], fixed)
	text = strings.Repeat("b", 128<<10)
	body = text[10:]
	ready()
}

func ready() {
	runtime.GC()
	runtime.GC()
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
