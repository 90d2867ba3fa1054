// Experiment of map-growth-unfinished: an index that is filled up to where it doubles, and then only read.
//
//	leak   main.index has its old table beside the new one
//	fixed  it was copied once it was filled
package main

import (
	"os"
	"runtime"
	"time"
	"unsafe"
)

// A classic map of 2^14 buckets doubles between these sizes: with more than 6 (Go 1.21) or 6.5 entries a bucket.
const (
	before = 95_000
	behind = 110_000
)

var (
	index = map[uint64]uint64{}
	pages = make([]byte, 16<<20) // so that no map holds most of the heap
)

// doubling looks into the map's header (runtime/map.go, hmap.oldbuckets).
func doubling() bool {
	header := *(*unsafe.Pointer)(unsafe.Pointer(&index))
	return (*[4]uintptr)(header)[3] != 0
}

func main() {
	for row := uint64(0); row < before || row < behind && !doubling(); row++ {
		index[row] = row
	}
	if len(os.Args) > 1 && os.Args[1] == "fixed" {
		copied := make(map[uint64]uint64, len(index))
		for key, value := range index {
			copied[key] = value
		}
		index = copied
	}
	ready()
}

func ready() {
	pages[0] = 1
	runtime.GC()
	runtime.GC()
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
