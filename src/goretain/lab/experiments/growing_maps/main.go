// When maps grow, and how much memory that takes for how long.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"lab/measure"
)

// Sizes at which a classic map doubles: 2^17 buckets with 6, and with 6.5 entries each.
var limits = []int64{6 << 17, 13 << 16}

// Globals, so that the maps are alive however little the compiler thinks of it.
var (
	numbers map[int64]int64
	pairs   map[int32]int32
	texts   map[string]int
	sum     int64
)

func total() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

// growth returns the sizes up to 60 entries at which a map takes a new table: overflow buckets are smaller.
func growth() string {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	numbers = map[int64]int64{}
	var at []string
	for i := int64(0); i < 60; i++ {
		before := total()
		numbers[i] = i
		if total()-before >= 500 {
			at = append(at, fmt.Sprint(len(numbers)))
		}
	}
	return strings.Join(at, " ")
}

func fill(upTo int64) {
	for i := int64(len(numbers)); i < upTo; i++ {
		numbers[i] = i
	}
}

func readAll() {
	for k, v := range numbers {
		sum += k + v
	}
	for i := int64(0); i < int64(len(numbers)); i++ {
		sum += numbers[i]
	}
}

// doubling prints what the one insertion that makes a classic map double does to the live bytes.
func doubling() {
	numbers = map[int64]int64{}
	start := measure.Live()
	live := func() int64 { return measure.Live() - start }
	var before, after int64
	for _, limit := range limits {
		fill(limit)
		before = live()
		fill(limit + 1)
		after = live()
		if after > before*3/2 {
			break
		}
	}
	measure.Print("before_bytes", before)
	measure.Print("one_more_bytes", after)
	readAll()
	measure.Print("only_read_bytes", live())
	fill(int64(len(numbers)) + 150_000)
	measure.Print("written_bytes", live())
	numbers = nil
}

func first(name string, f func()) {
	bytes, _ := measure.Allocated(f)
	measure.Print(name, bytes)
}

func main() {
	measure.Print("grows_at", growth())
	first("first_int64_bytes", func() { numbers = make(map[int64]int64); numbers[1] = 1 })
	first("first_int32_bytes", func() { pairs = make(map[int32]int32); pairs[1] = 1 })
	first("first_string_bytes", func() { texts = make(map[string]int); texts["a"] = 1 })
	doubling()
}
