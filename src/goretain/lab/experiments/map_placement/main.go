// What maps cost by the place they are made in: allocations of one call, and sizes.
package main

import (
	"unsafe"

	"lab/measure"
)

var sink map[string]int

//go:noinline
func returned() map[string]int {
	m := make(map[string]int)
	m["a"] = 1
	return m
}

//go:noinline
func local(hint bool) int {
	if hint {
		m := make(map[string]int, 8)
		m["a"] = 1
		return len(m)
	}
	m := make(map[string]int)
	m["a"] = 1
	return len(m)
}

//go:noinline
func hinted() int {
	m := make(map[string]int, 100)
	m["a"] = 1
	return len(m)
}

//go:noinline
func grown() int {
	m := make(map[string]int)
	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
		m[key] = 1
	}
	return len(m)
}

func main() {
	count := func(name string, f func()) {
		_, objects := measure.Allocated(f)
		measure.Print(name, objects)
	}
	count("returned_allocs", func() { sink = returned() })
	count("local_allocs", func() { local(false) })
	count("hint_8_allocs", func() { local(true) })
	count("hint_100_allocs", func() { hinted() })
	count("grown_allocs", func() { grown() })

	bytes, _ := measure.Allocated(func() { sink = make(map[string]int) })
	measure.Print("header_bytes", bytes)
	measure.Print("variable_bytes", int(unsafe.Sizeof(sink)))
}
