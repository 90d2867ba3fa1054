// Where variables that closures capture live, and what a long-lived map gives the collector to scan.
package main

import (
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"

	"lab/measure"
)

type record struct {
	page [4096]byte
	next *record
}

var (
	closures map[int]func() byte
	numbers  map[int]int
	texts    map[string]int
	pointers map[int]*int
)

//go:noinline
func capture(i int) func() byte {
	var r record
	r.page[3] = byte(i)
	return func() byte { return r.page[3] }
}

func stacks() int64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.StackInuse)
}

// scannable returns the bytes of live objects that the collector has to look into for pointers.
func scannable() int64 {
	measure.Live()
	samples := []metrics.Sample{{Name: "/gc/scan/heap:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64())
}

func captured() {
	before, stacksBefore := measure.Live(), stacks()
	closures = map[int]func() byte{}
	for i := 0; i < 5000; i++ {
		closures[i] = capture(i)
	}
	measure.Print("captured_live_bytes", measure.Live()-before)
	measure.Print("captured_stacks_bytes", stacks()-stacksBefore)
}

func scanned() {
	before := scannable()
	added := func(name string) {
		now := scannable()
		measure.Print(name, now-before)
		before = now
	}
	numbers = map[int]int{}
	for i := 0; i < 150_000; i++ {
		numbers[i] = i
	}
	added("numbers_scanned_bytes")
	texts = map[string]int{}
	for i := 0; i < 150_000; i++ {
		texts[strconv.Itoa(i)] = i
	}
	added("texts_scanned_bytes")
	pointers = map[int]*int{}
	for i := 0; i < 150_000; i++ {
		pointers[i] = new(int)
	}
	added("pointers_scanned_bytes")
}

func main() {
	switch os.Args[1] {
	case "captured":
		captured()
	case "scanned":
		scanned()
	}
}
