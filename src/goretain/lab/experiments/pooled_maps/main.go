// What a sync.Pool of maps saves, and what it keeps.
package main

import (
	"os"
	"runtime"
	"strconv"
	"sync"

	"lab/measure"
)

var (
	pool  = sync.Pool{New: func() any { return make(map[string]int, 8) }}
	words = []string{"a", "bb", "ccc", "dddd", "eeeee", "ffffff"}
	sink  map[string]int
	large map[string]int
)

func fill(m map[string]int) {
	for i, word := range words {
		m[word] = i
	}
}

func allocations() {
	bytes, _ := measure.Allocated(func() { sink = make(map[string]int, 8) })
	measure.Print("made_empty_bytes", bytes)
	bytes, _ = measure.Allocated(func() {
		sink = make(map[string]int, 8)
		fill(sink)
	})
	measure.Print("made_and_filled_bytes", bytes)
	bytes, _ = measure.Allocated(func() {
		m := make(map[string]int, 8)
		for i, word := range words {
			m[word] = i
		}
	})
	measure.Print("made_and_filled_on_stack_bytes", bytes)
	// a thousand times, because the collection before each measurement ages the pool
	bytes, _ = measure.Allocated(func() {
		for i := 0; i < 1000; i++ {
			m := pool.Get().(map[string]int)
			fill(m)
			clear(m)
			pool.Put(m)
		}
	})
	measure.Print("thousand_pooled_bytes", bytes)
}

func stale() {
	m := pool.Get().(map[string]int)
	m["secret"] = 1
	pool.Put(m)
	again := pool.Get().(map[string]int)
	_, there := again["secret"]
	measure.Print("stale_key_seen", there)
}

// allocated is HeapAlloc without a collection: collections empty pools.
func allocated() int64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func oversized() {
	start := measure.Live()
	large = map[string]int{}
	for i := 0; i < 150_000; i++ {
		large[strconv.Itoa(i)] = i
	}
	clear(large)
	pool.Put(large)
	large = nil
	runtime.GC()
	measure.Print("pooled_after_one_collection_bytes", allocated()-start)
	measure.Print("pooled_after_more_bytes", measure.Live()-start)
}

func main() {
	switch os.Args[1] {
	case "allocations":
		allocations()
	case "stale":
		stale()
	case "oversized":
		oversized()
	}
}
