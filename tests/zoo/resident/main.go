// Command resident has known bytes of each kind of memory that RSS is made of, and spans that few objects keep.
//
// The argument says what became of the pages of dropped buffers: kept (they are idle) or released (by
// debug.FreeOSMemory). Facts: “NAME BYTES“. The last line is READY.
package main

/*
#include <stdlib.h>
#include <string.h>

static void *filled(size_t size) { return memset(malloc(size), 1, size); }
*/
import "C"

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"unsafe"
)

const (
	mallocLarge = 24 << 20 // malloc maps a block of so much by itself
	mallocSmall = 4 << 20  // in blocks of 1 KiB: from brk, as the main thread asks
	mapped      = 8 << 20
	dropped     = 64 << 20
	live        = 16 << 20
	untouched   = 32 << 20
	few         = 2000 // objects of 64 bytes, each of which keeps a page
	between     = 128  // an 8 KiB span has so many slots of 64 bytes, or some less
)

// A record takes 64 bytes.
type record struct {
	next *record
	pad  [56]byte
}

var (
	buffers  [][]byte
	empty    []byte
	records  []*record
	outside  []byte
	blocks   []unsafe.Pointer
	metric   = []metrics.Sample{{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	memStats runtime.MemStats
)

func init() { runtime.LockOSThread() } // C's main thread: its malloc takes from brk

func main() {
	blocks = append(blocks, C.filled(mallocLarge))
	for i := 0; i < mallocSmall>>10; i++ {
		blocks = append(blocks, C.filled(1<<10))
	}
	outside, _ = syscall.Mmap(-1, 0, mapped, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	touch(outside)
	percent := debug.SetGCPercent(-1) // each span is filled before any is swept
	scatter()
	debug.SetGCPercent(percent)
	empty = make([]byte, untouched)
	for i := 0; i < (live+dropped)>>20; i++ {
		buffers = append(buffers, make([]byte, 1<<20))
		touch(buffers[i])
	}
	buffers = buffers[: live>>20 : live>>20]
	buffers = append([][]byte(nil), buffers...)
	runtime.GC()
	runtime.GC()
	if len(os.Args) > 1 && os.Args[1] == "released" {
		debug.FreeOSMemory()
	}
	report()
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}

//go:noinline
func touch(block []byte) {
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
}

// scatter leaves about one live object in each span.
//
//go:noinline
func scatter() {
	for i := 0; i < few*between; i++ {
		r := &record{}
		r.pad[0] = 1
		if i%between == 0 {
			records = append(records, r)
		} else {
			last = r
		}
	}
	last = nil
}

var last *record

func report() {
	metrics.Read(metric)
	runtime.ReadMemStats(&memStats)
	println("HeapInuse", memStats.HeapInuse)
	println("HeapIdle", memStats.HeapIdle)
	println("HeapReleased", memStats.HeapReleased)
	println("StackInuse", memStats.StackInuse)
	println("free", metric[0].Value.Uint64())
	println("released", metric[1].Value.Uint64())
	println("malloc", mallocLarge+mallocSmall)
	println("brk", mallocSmall)
	println("mapped", mapped)
	println("dropped", dropped)
	println("untouched", untouched)
	println("few", few)
	println("READY")
}
