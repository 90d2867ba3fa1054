// Experiment of closures-hold-captures: callbacks that were registered and never removed.
//
//	leak   main.onReload has a function for each connection that ever was, which captured its map and buffer
//	fixed  the function is removed when the connection ends
//
// Both modes keep healthy neighbours: one function that owns a large cache, functions that share a buffer.
package main

import (
	"os"
	"runtime"
	"time"
)

const (
	connections = 500
	handlers    = 100
	size        = 8 << 10
)

var (
	onReload = make(map[int]func(), connections)
	serve    func(int) int
	shared   []func()
	sink     int
)

//go:noinline
func connect(id int) {
	seen := map[int]*[128]byte{1: {}, 2: {}}
	buffer := make([]byte, size)
	onReload[id] = func() {
		sink += len(seen) + len(buffer)
	}
}

func main() {
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	for id := 0; id < connections; id++ {
		connect(id)
		if fixed {
			delete(onReload, id)
		}
	}
	cache := make([]*[1 << 10]byte, 8192)
	for i := range cache {
		cache[i] = new([1 << 10]byte)
	}
	serve = func(i int) int { return int(cache[i][0]) }
	buffer := make([]byte, 1<<20)
	for i := 0; i < handlers; i++ {
		shared = append(shared, func() { sink += len(buffer) + i })
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
