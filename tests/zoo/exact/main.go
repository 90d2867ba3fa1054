// Command exact builds one of everything that Go keeps on its heap, stops allocating and says what the
// runtime itself counts, so that a reader of its memory can be held to a difference of zero.
//
// The first argument is the state to stop in:
//
//	quiet    after two full collections, nothing allocated since
//	unswept  right after a concurrent mark: dead objects in spans that nobody has swept
//	queued   finalizers (and cleanups) stuck in their queues behind one that never returns
//	spin     quiet, but one goroutine runs Go code all the time
//
// Facts are printed by println: it does not allocate. The last line is READY.
package main

import (
	"os"
	"runtime"
	"runtime/metrics"
	"sync"
	"syscall"
	"time"
)

var (
	stats   runtime.MemStats
	bySize  = []metrics.Sample{{Name: "/gc/heap/allocs-by-size:bytes"}, {Name: "/gc/heap/frees-by-size:bytes"}}
	mapFact []mapCount
)

// A mapCount is the name of a global map (as a chain begins) and how many entries it has.
type mapCount struct {
	name    string
	entries int
}

func main() {
	state := "quiet"
	if len(os.Args) > 1 {
		state = os.Args[1]
	}
	buildObjects()
	buildMaps()
	buildNewer()
	buildUnique()
	startGoroutines()
	switch state {
	case "queued":
		stuckFinalizers()
		stuckCleanups()
	case "spin":
		go spin()
	}
	warmUp()
	settle()
	if state == "unswept" {
		stopUnswept()
	} else {
		dropSome()
	}
	report()
	if state == "unswept" {
		pauseRunning()
	}
	pause()
}

// warmUp calls what report calls: their first calls allocate.
func warmUp() {
	startThreads()
	metrics.Read(bySize)
	runtime.ReadMemStats(&stats)
	time.Sleep(100 * time.Millisecond)
}

// startThreads makes the runtime have threads to spare, so that it starts (and allocates) none later.
func startThreads() {
	var done sync.WaitGroup
	for i := 0; i < 16; i++ {
		done.Add(1)
		go func() {
			wait := syscall.Timespec{Nsec: 30e6}
			_ = syscall.Nanosleep(&wait, nil)
			done.Done()
		}()
	}
	done.Wait()
}

// settle collects until finalizers have run and pools are empty.
func settle() {
	for i := 0; i < 4; i++ {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
	runtime.GC()
	runtime.GC()
}

// stopUnswept allocates until a concurrent collection has ended. On one P nothing sweeps behind our back:
// pauseRunning keeps it.
func stopUnswept() {
	runtime.GOMAXPROCS(1)
	runtime.ReadMemStats(&stats)
	for cycle := stats.NumGC; stats.NumGC == cycle; runtime.ReadMemStats(&stats) {
		for i := 0; i < 1000; i++ {
			garbage = &tree{left: &tree{key: int64(i)}, payload: &payload{data: make([]byte, 100)}}
		}
	}
	garbage = nil
}

var garbage *tree

func report() {
	metrics.Read(bySize)
	runtime.ReadMemStats(&stats)
	println("HeapObjects", stats.HeapObjects)
	println("HeapAlloc", stats.HeapAlloc)
	println("HeapInuse", stats.HeapInuse)
	println("StackInuse", stats.StackInuse)
	println("HeapIdle", stats.HeapIdle)
	println("StackSys", stats.StackSys)
	println("SpanSys", stats.MSpanSys+stats.MCacheSys)
	println("BuckHashSys", stats.BuckHashSys)
	println("GCSys", stats.GCSys)
	println("OtherSys", stats.OtherSys)
	println("NumGC", stats.NumGC)
	println("MallocsMinusFrees", stats.Mallocs-stats.Frees)
	println("NumGoroutine", runtime.NumGoroutine())
	for i := range stats.BySize {
		if class := &stats.BySize[i]; class.Mallocs != class.Frees {
			println("BySize", class.Size, class.Mallocs-class.Frees)
		}
	}
	allocs, frees := bySize[0].Value.Float64Histogram(), bySize[1].Value.Float64Histogram()
	for i := range allocs.Counts {
		if allocs.Counts[i] != frees.Counts[i] {
			// a bucket holds sizes in [its boundary, the next): the slot size is the next boundary less one
			println("SizeClass", int64(min64(allocs.Buckets[i+1]-1, 1<<62)), allocs.Counts[i]-frees.Counts[i])
		}
	}
	for i := range mapFact {
		println("Map", mapFact[i].name, mapFact[i].entries)
	}
	println("READY")
}

func min64(a, b float64) float64 {
	if a < b {
		return a
	}
	return b
}

// pause blocks in the kernel for good.
func pause() {
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}

// pauseRunning blocks while the scheduler believes that it runs: the only P stays taken, so no sweeper gets to
// work. Needs GODEBUG=asyncpreemptoff=1.
func pauseRunning() {
	for {
		syscall.RawSyscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}
