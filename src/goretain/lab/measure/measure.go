// Package measure is what the experiments of the laboratory measure and print with.
package measure

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
)

// Print gives one measurement to the laboratory.
func Print(name string, value any) {
	fmt.Printf("%s=%v\n", name, value)
}

// Live returns the bytes of the objects that are alive: HeapAlloc after as many collections as it takes for it
// to fall no more (finalizers and pools let go in several steps).
func Live() int64 {
	least, calm := int64(1)<<62, 0
	for calm < 2 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		if now := int64(stats.HeapAlloc); now < least {
			least, calm = now, 0
		} else {
			calm++
		}
	}
	return least
}

// Allocated returns bytes and objects that f allocates: the least of five calls, so that what the runtime
// allocates meanwhile does not count.
func Allocated(f func()) (bytes, objects int64) {
	bytes, objects = int64(1)<<62, int64(1)<<62
	for i := 0; i < 5; i++ {
		b, o := AllocatedOnce(f)
		bytes, objects = min(bytes, b), min(objects, o)
	}
	return bytes, objects
}

// AllocatedOnce is Allocated of a single call, for what cannot be repeated.
func AllocatedOnce(f func()) (bytes, objects int64) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc), int64(after.Mallocs - before.Mallocs)
}

// Goroutines waits until there are at most want goroutines, for five seconds at most, and returns how many
// there are.
func Goroutines(want int) int {
	for i := 0; i < 500 && runtime.NumGoroutine() > want; i++ {
		time.Sleep(10 * time.Millisecond)
	}
	return runtime.NumGoroutine()
}
