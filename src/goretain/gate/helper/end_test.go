// Added to the tests of a package by an overlay, never to its directory; the package's name is put in.
// It writes what is in use when the benchmark that ran before it has ended and garbage is gone.
package helper_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// A benchmark, as those run in the order of their files: this one is the last.
func BenchmarkGoretainGateEnd(b *testing.B) {
	into := os.Getenv("GORETAIN_GATE_INTO")
	if into == "" {
		return
	}
	os.Unsetenv("GORETAIN_GATE_INTO") // it is called again, with more iterations
	flag.Set("test.count", "1")       // which is for the test that was repeated before
	if runtime.MemProfileRate != 1 {
		fmt.Fprintln(os.Stderr, "goretain gate: what ran sets runtime.MemProfileRate, so allocations are not all recorded")
		os.Exit(2)
	}
	goretainGateSettle()
	goretainGateWrite(filepath.Join(into, "heap"), func(to *os.File) error {
		return pprof.Lookup("heap").WriteTo(to, 0)
	})
	goretainGateWrite(filepath.Join(into, "goroutine"), func(to *os.File) error {
		return pprof.Lookup("goroutine").WriteTo(to, 0)
	})
}

// goretainGateBefore is how many goroutines there are when the program begins.
var goretainGateBefore = runtime.NumGoroutine()

// goretainGateSettle collects garbage until nothing more goes: what is in a sync.Pool needs two collections,
// what has a finalizer two and the finalizer's end, goroutines that were told to end some turns.
func goretainGateSettle() {
	var before runtime.MemStats
	goretainGateIdle()
	left := runtime.NumGoroutine()
	for round, quiet := 0, 0; round < 40 && quiet < 2; round++ {
		goroutines := runtime.NumGoroutine()
		goretainGateCollect()
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		if now.HeapObjects >= before.HeapObjects && round > 0 && runtime.NumGoroutine() >= goroutines {
			quiet++
		} else {
			quiet = 0
		}
		before = now
	}
	if runtime.NumGoroutine() != left { // a finalizer tells some to end
		goretainGateIdle()
	}
	runtime.GC() // the profile is as of the end of the last collection
}

// goretainGateIdle lets goroutines that can run do so, until none is left that the benchmark began, or none has
// ended for a tenth of a second.
func goretainGateIdle() {
	for left, quiet := runtime.NumGoroutine(), 0; quiet < 20; quiet++ {
		for turn := 0; turn < 100; turn++ {
			runtime.Gosched()
		}
		now := runtime.NumGoroutine()
		if now <= goretainGateBefore+1 { // that of this benchmark
			return
		}
		if now < left {
			left, quiet = now, 0
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// goretainGateCollect collects garbage, and waits for finalizers that became due.
func goretainGateCollect() {
	ended := make(chan struct{})
	runtime.SetFinalizer(&struct{ next *int }{}, func(interface{}) { close(ended) })
	runtime.GC()
	select {
	case <-ended:
	case <-time.After(time.Second): // the program's own finalizers block
	}
}

func goretainGateWrite(path string, write func(*os.File) error) {
	file, err := os.Create(path)
	if err == nil {
		err = write(file)
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "goretain gate:", err)
		os.Exit(2)
	}
}
