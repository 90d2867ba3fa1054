// Experiment of subslice-pins-array: two places that keep a few bytes of large arrays.
//
//	leak   main.tokens keeps body[16:21] (the rest is capacity); main.marks keeps page[10:20:20] (the rest is lost)
//	fixed  the same, through bytes.Clone
//
// Both modes keep healthy neighbours: a reset buffer, a buffer that grew, a preallocated scratch slice.
package main

import (
	"bytes"
	"os"
	"runtime"
	"time"
)

const (
	bodies   = 256
	bodySize = 64 << 10
	pages    = 128
	pageSize = 8 << 10
)

type session struct {
	id    uint64
	token []byte
}

var (
	tokens = make(map[uint64]*session, bodies)
	marks  [][]byte

	// healthy neighbours
	scratch  = make([]byte, 0, 256<<10)
	pending  bytes.Buffer
	appended []uint64
)

func keep(part []byte, fixed bool) []byte {
	if fixed {
		return bytes.Clone(part)
	}
	return part
}

func main() {
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	for id := uint64(0); id < bodies; id++ {
		body := make([]byte, bodySize)
		tokens[id] = &session{id: id, token: keep(body[16:21], fixed)}
	}
	for i := 0; i < pages; i++ {
		page := make([]byte, pageSize)
		marks = append(marks, keep(page[10:20:20], fixed))
	}
	pending.Write(make([]byte, 100<<10))
	pending.Reset()
	pending.WriteString("half a request")
	for i := uint64(0); i < 70_000; i++ {
		appended = append(appended, i)
	}
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
