// What gives the table of a map back: deleting, clearing, replacing, rebuilding, and steady turnover.
package main

import (
	"os"

	"lab/measure"
)

// Far from both sizes at which a classic map grows: while it grows, it has its old table beside the new one.
const entries = 150_000

// Globals, so that the map is alive however little the compiler thinks of it.
var (
	table   map[int]int
	rebuilt map[int]int
	small   map[string]int
)

func filled() map[int]int {
	m := make(map[int]int)
	for i := 0; i < entries; i++ {
		m[i] = i
	}
	return m
}

func emptying() {
	start := measure.Live()
	after := func(name string) { measure.Print(name, measure.Live()-start) }

	table = filled()
	after("full_bytes")
	for i := 10; i < entries; i++ {
		delete(table, i)
	}
	after("ten_left_bytes")
	for i := 0; i < 10; i++ {
		delete(table, i)
	}
	measure.Print("left", len(table))
	after("none_left_bytes")

	table = filled()
	clear(table)
	after("cleared_bytes")
	refill, _ := measure.AllocatedOnce(func() {
		for i := 0; i < entries; i++ {
			table[i] = i
		}
	})
	measure.Print("refill_bytes", refill)

	for i := entries / 100; i < entries; i++ {
		delete(table, i)
	}
	rebuilt = make(map[int]int, len(table))
	for k, v := range table {
		rebuilt[k] = v
	}
	table = nil
	after("rebuilt_bytes")
	rebuilt = nil

	table = filled()
	table = make(map[int]int)
	after("replaced_bytes")
}

func turnover() {
	start := measure.Live()
	table = make(map[int]int)
	for i := 0; i < 1000; i++ {
		table[i] = i
	}
	measure.Print("steady_start_bytes", measure.Live()-start)
	for next := 1000; next < 3_000_000; next++ {
		table[next] = next
		delete(table, next-1000)
	}
	measure.Print("steady_left", len(table))
	measure.Print("steady_end_bytes", measure.Live()-start)
}

func discarding() {
	start := measure.Live()
	for i := 0; i < 500_000; i++ {
		small = map[string]int{"a": i, "b": i}
	}
	small = nil
	measure.Print("discarded_bytes", measure.Live()-start)
}

func main() {
	switch os.Args[1] {
	case "emptying":
		emptying()
	case "turnover":
		turnover()
	case "discarding":
		discarding()
	}
}
