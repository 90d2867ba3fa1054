// Experiment of pool-keeps-map-entries: maps that went back into their pool as they were.
//
//	leak   main.scratch holds 16 maps with 64 records of 1 KiB each
//	fixed  the same maps, cleared before they went back
package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

const (
	maps    = 16
	records = 64
)

type record [1024]byte

var scratch = sync.Pool{New: func() any { return make(map[int]*record, records) }}

func main() {
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	// A collection empties pools.
	runtime.GC()
	runtime.GC()
	debug.SetGCPercent(-1)
	var taken []map[int]*record
	for i := 0; i < maps; i++ {
		m := scratch.Get().(map[int]*record)
		for k := 0; k < records; k++ {
			m[k] = new(record)
		}
		taken = append(taken, m)
	}
	for _, m := range taken {
		if fixed {
			clear(m)
		}
		scratch.Put(m)
	}
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
