// What a generic read-only copy of a map costs, and what it isolates.
package main

import (
	"os"
	"strconv"

	"lab/measure"
)

type reader[K comparable, V any] interface {
	Get(key K) (V, bool)
	Keys() []K
}

type frozen[K comparable, V any] struct{ data map[K]V }

func (f *frozen[K, V]) Get(key K) (V, bool) {
	value, ok := f.data[key]
	return value, ok
}

func (f *frozen[K, V]) Keys() []K {
	keys := make([]K, 0, len(f.data))
	for key := range f.data {
		keys = append(keys, key)
	}
	return keys
}

//go:noinline
func copied[K comparable, V any](m map[K]V) reader[K, V] {
	data := make(map[K]V, len(m))
	for key, value := range m {
		data[key] = value
	}
	return &frozen[K, V]{data}
}

var (
	numbers reader[string, int]
	names   []string
)

func costs() {
	source := map[string]int{}
	for i := 0; i < 100_000; i++ {
		source["key "+strconv.Itoa(i)] = i
	}
	bytes, _ := measure.Allocated(func() { numbers = copied(source) })
	measure.Print("copy_bytes", bytes)
	bytes, _ = measure.Allocated(func() { names = numbers.Keys() })
	measure.Print("keys_bytes", bytes)
	bytes, _ = measure.Allocated(func() { numbers = &frozen[string, int]{source} })
	measure.Print("view_bytes", bytes)
	_, objects := measure.Allocated(func() { numbers.Get("key 42") })
	measure.Print("get_allocs", objects)
}

func isolation() {
	scalars := map[string]int{"a": 1}
	frozenScalars := copied(scalars)
	scalars["a"] = 2
	value, _ := frozenScalars.Get("a")
	measure.Print("scalar_isolated", value == 1)

	slices := map[string][]int{"a": {1, 2}}
	frozenSlices := copied(slices)
	slices["a"][0] = 99
	slice, _ := frozenSlices.Get("a")
	measure.Print("slice_isolated", slice[0] == 1)

	nested := map[string]map[string]int{"a": {"b": 1}}
	frozenNested := copied(nested)
	inner, _ := frozenNested.Get("a")
	inner["c"] = 2
	measure.Print("inner_map_isolated", len(nested["a"]) == 1)
}

func unhashable() {
	m := copied(map[any]int{})
	m.Get([]int{1})
}

func main() {
	switch os.Args[1] {
	case "costs":
		costs()
	case "isolation":
		isolation()
	case "unhashable":
		unhashable()
	}
}
