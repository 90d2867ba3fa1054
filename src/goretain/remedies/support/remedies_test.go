package remedies

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

// What the tests of several remedies share.

const stressWorkers = 8

// stressOps returns how many operations a stress test does: ten million, fewer with -short.
func stressOps() int {
	if testing.Short() {
		return 100_000
	}
	return 10_000_000
}

// inParallel runs work in so many goroutines and waits for them.
func inParallel(workers int, work func(worker int)) {
	var all sync.WaitGroup
	for worker := 0; worker < workers; worker++ {
		worker := worker
		all.Add(1)
		go func() {
			defer all.Done()
			work(worker)
		}()
	}
	all.Wait()
}

// leavesNoGoroutine fails the test if it ends with more goroutines than it began with.
func leavesNoGoroutine(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
	})
}

// eventually waits for what other goroutines bring about.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so after a minute: %s", what)
		}
	}
}

// givesBack fails the test unless drain gives back what fill took: all but a hundredth of its live bytes.
func givesBack(t *testing.T, fill, drain func()) {
	t.Helper()
	before := heapAfterGC()
	fill()
	full := heapAfterGC() - before
	drain()
	left := heapAfterGC() - before
	if full < 4<<20 {
		t.Fatalf("%d bytes are too few to tell", full)
	}
	if left > full/100 {
		t.Errorf("%d of %d bytes are still live", left, full)
	}
}

// heapAfterGC returns the live bytes of the heap.
func heapAfterGC() int {
	runtime.GC()
	runtime.GC() // the first one only moves what is in a sync.Pool aside
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// reportHeld reports, as live-B, the bytes that are live because of what hold returns.
func reportHeld(b *testing.B, hold func() any) {
	b.Helper()
	b.StopTimer()
	before := heapAfterGC()
	held := hold()
	b.ReportMetric(float64(heapAfterGC()-before), "live-B")
	runtime.KeepAlive(held)
}

// failureOf runs check with a test of its own and returns what it fails with, "" if it passes.
func failureOf(t *testing.T, check func(tb testing.TB)) string {
	t.Helper()
	inner := &recordingTB{TB: t}
	inParallel(1, func(int) { check(inner) }) // Fatalf ends the goroutine
	return inner.failure
}

type recordingTB struct {
	testing.TB
	failure string
}

func (tb *recordingTB) Errorf(format string, args ...any) {
	tb.failure += fmt.Sprintf(format, args...)
}

func (tb *recordingTB) Fatalf(format string, args ...any) {
	tb.Errorf(format, args...)
	runtime.Goexit()
}
