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
	goretainGateSettle()
	goretainGateWrite(filepath.Join(into, "heap"), func(to *os.File) error {
		return pprof.Lookup("heap").WriteTo(to, 0)
	})
	goretainGateWrite(filepath.Join(into, "goroutine"), func(to *os.File) error {
		return pprof.Lookup("goroutine").WriteTo(to, 0)
	})
}

// goretainGateSettle collects garbage until nothing more goes: what is in a sync.Pool needs two collections,
// what has a finalizer two and the finalizer's end, goroutines that were told to end some turns.
func goretainGateSettle() {
	var before runtime.MemStats
	for round, quiet := 0, 0; round < 40 && quiet < 3; round++ {
		goroutines := goretainGateIdle()
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
	runtime.GC() // the profile is as of the end of the last collection
}

// goretainGateIdle lets goroutines that can run do so, until as many are left as before; how many.
func goretainGateIdle() int {
	left := runtime.NumGoroutine()
	for round, quiet := 0, 0; round < 100 && quiet < 3; round++ {
		for range [100]struct{}{} {
			runtime.Gosched()
		}
		time.Sleep(time.Millisecond)
		now := runtime.NumGoroutine()
		if now < left {
			quiet = 0
		} else {
			quiet++
		}
		left = now
	}
	return left
}

// goretainGateCollect collects garbage, and waits for finalizers that became due.
func goretainGateCollect() {
	ended := make(chan struct{})
	runtime.SetFinalizer(&struct{ next *int }{}, func(any) { close(ended) })
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
