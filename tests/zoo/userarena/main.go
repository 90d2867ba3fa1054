// Keeps objects in user arenas (GOEXPERIMENT=arenas), some of them freed, and says what MemStats says.
package main

import (
	"arena"
	"runtime"
	"syscall"
)

type node struct {
	next *node
	body []byte
	id   int
}

type plain struct {
	values [16]int64
}

var (
	kept  *arena.Arena
	other *arena.Arena
	first *node
	slab  []plain
	names []string
	spill []*node
	big   []byte
)

func fill(n int) {
	for i := 0; i < n; i++ {
		x := arena.New[node](kept)
		x.next, x.id = first, i
		x.body = make([]byte, 256)
		first = x
	}
	slab = arena.MakeSlice[plain](kept, 1000, 1000)
	big = arena.MakeSlice[byte](kept, 3<<20, 3<<20)
	names = arena.MakeSlice[string](kept, 10, 10)
	names[3] = string(make([]byte, 512))
	for i := 0; i < 5; i++ {
		x := arena.New[node](other)
		x.body = make([]byte, 4096)
		spill = append(spill, x)
	}
}

func main() {
	kept, other = arena.NewArena(), arena.NewArena()
	fill(2000)
	gone := arena.NewArena()
	for i := 0; i < 1000; i++ {
		arena.New[node](gone).body = make([]byte, 64)
	}
	gone.Free()
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	println("HeapAlloc", stats.HeapAlloc)
	println("HeapObjects", stats.HeapObjects)
	println("READY")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}
