// A Go library for programs in other languages (-buildmode=c-shared), which keeps memory in a global.
package main

import "C"

import (
	"runtime"
	"time"
)

type entry struct{ body []byte }

var entries = map[int]*entry{}

//export Fill
func Fill(n C.int) {
	for i := 0; i < int(n); i++ {
		entries[i] = &entry{make([]byte, 4096)}
	}
	go func() {
		held := make([]byte, 1<<20)
		time.Sleep(1000 * time.Hour)
		runtime.KeepAlive(held)
	}()
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	println("HeapAlloc", stats.HeapAlloc)
	println("HeapObjects", stats.HeapObjects)
}

func main() {}
