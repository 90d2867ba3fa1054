// Experiment of pool-keeps-oversized-buffers: pools whose buffers a few large tasks have grown.
//
//	leak   everything is put back: 4 of main.pages' 64 buffers have 1 MiB, 8 of main.rows' 40 slices 512 KiB
//	fixed  what has grown beyond 64 KiB is dropped
//
// Both modes keep a healthy neighbour: a pool whose items are all large, because that is what it is for.
package main

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

const limit = 64 << 10

var (
	pages  = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	rows   = sync.Pool{New: func() any { return new([]byte) }}
	frames = sync.Pool{New: func() any { return new([1 << 20]byte) }}
)

func fillPages(fixed bool) {
	taken := make([]*bytes.Buffer, 64)
	for i := range taken {
		taken[i] = pages.Get().(*bytes.Buffer)
		size := 4 << 10
		if i%16 == 0 {
			size = 1 << 20
		}
		taken[i].Grow(size)
	}
	for _, page := range taken {
		if !fixed || page.Cap() <= limit {
			page.Reset()
			pages.Put(page)
		}
	}
}

func fillRows(fixed bool) {
	taken := make([]*[]byte, 40)
	for i := range taken {
		taken[i] = rows.Get().(*[]byte)
		size := 16 << 10
		if i%5 == 0 {
			size = 512 << 10
		}
		*taken[i] = make([]byte, 0, size)
	}
	for _, row := range taken {
		if !fixed || cap(*row) <= limit {
			rows.Put(row)
		}
	}
}

func fillFrames() {
	var taken []*[1 << 20]byte
	for i := 0; i < 4; i++ {
		taken = append(taken, frames.Get().(*[1 << 20]byte))
	}
	for _, frame := range taken {
		frames.Put(frame)
	}
}

func main() {
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	// A collection empties pools.
	runtime.GC()
	runtime.GC()
	debug.SetGCPercent(-1)
	fillPages(fixed)
	fillRows(fixed)
	fillFrames()
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
