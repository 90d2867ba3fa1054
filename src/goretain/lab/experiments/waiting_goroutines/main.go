// Goroutines that wait for a WaitGroup nobody will release, and who keeps what alive.
package main

import (
	"bytes"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"lab/measure"
)

const waiters = 100

var freed atomic.Bool

// wait fills a map with WaitGroups that are never done, and starts a goroutine that waits for each.
func wait() map[int]*sync.WaitGroup {
	groups := map[int]*sync.WaitGroup{}
	for i := 0; i < waiters; i++ {
		group := new(sync.WaitGroup)
		group.Add(1)
		groups[i] = group
		go group.Wait()
	}
	return groups
}

// waitWithMarker does so in a map that nothing refers to when it returns; a finalizer tells when it is freed.
func waitWithMarker() {
	groups := wait()
	type owner struct{ groups map[int]*sync.WaitGroup }
	o := &owner{groups}
	runtime.SetFinalizer(o, func(*owner) { freed.Store(true) })
}

func main() {
	before := runtime.NumGoroutine()
	switch os.Args[1] {
	case "kept":
		groups := wait()
		runtime.GC()
		measure.Print("waiting", runtime.NumGoroutine()-before)
		clear(groups)
		time.Sleep(50 * time.Millisecond)
		runtime.GC()
		measure.Print("waiting_after_clear", runtime.NumGoroutine()-before)
		profile()
	case "local":
		waitWithMarker()
		for i := 0; i < 100 && !freed.Load(); i++ {
			runtime.GC()
			time.Sleep(10 * time.Millisecond)
		}
		measure.Print("map_freed", freed.Load())
		// the finalizer has a goroutine of its own
		measure.Print("waiting_without_map", runtime.NumGoroutine()-before >= waiters)
	}
}

// profile says whether the runtime itself lists the goroutines that can never go on, and how many.
func profile() {
	leaks := pprof.Lookup("goroutineleak")
	measure.Print("leak_profile", leaks != nil)
	listed := 0
	if leaks != nil {
		var text bytes.Buffer
		if err := leaks.WriteTo(&text, 2); err == nil {
			listed = strings.Count(text.String(), "(leaked)")
		}
	}
	measure.Print("listed_as_leaked", listed)
}
