// Experiment of map-never-shrinks: a table built for a burst, of which few entries are left.
//
//	leak   main.inflight is emptied by delete, main.dirty by clear: both keep their tables
//	fixed  the survivors are copied into a new map; the cleared one is replaced
//
// The sizes come from hints and the tables are never crowded, so that nothing depends on the hash seed and the
// figures are exact.
package main

import (
	"os"
	"runtime"
	"time"
)

const (
	burst = 1 << 14
	room  = 8 * burst
	left  = 90
)

var (
	inflight = make(map[uint64]uint64, room)
	dirty    = make(map[uint32]bool, room/2)
)

func fill() {
	for i := uint64(0); i < burst; i++ {
		inflight[i] = i
	}
	for i := uint64(left); i < burst; i++ {
		delete(inflight, i)
	}
	for i := uint32(0); i < burst/2; i++ {
		dirty[i] = true
	}
	clear(dirty)
}

func main() {
	fill()
	if len(os.Args) > 1 && os.Args[1] == "fixed" {
		survivors := make(map[uint64]uint64, len(inflight))
		for id, job := range inflight {
			survivors[id] = job
		}
		inflight = survivors
		dirty = make(map[uint32]bool)
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
