// What it costs to put values into an interface.
package main

import (
	"os"
	"reflect"

	"lab/measure"
)

var (
	anys       map[string]any
	interfaces map[string]interface{}
	numbers    map[string]int
	sink       any
)

func bytesOf(name string, f func()) {
	bytes, _ := measure.Allocated(f)
	measure.Print(name, bytes)
}

func allocsOf(name string, f func()) {
	_, objects := measure.Allocated(f)
	measure.Print(name, objects)
}

func main() {
	measure.Print("one_type", reflect.TypeOf(anys) == reflect.TypeOf(interfaces))
	// made at run time, so that the compiler knows none of them as a constant
	small, large, text, pointer := 199+len(os.Args)/2, 123_455+len(os.Args)/2, "text"+os.Args[1], new(int)
	bytesOf("any_bytes", func() { anys = map[string]any{"n": large, "s": text} })
	bytesOf("interface_bytes", func() { interfaces = map[string]interface{}{"n": large, "s": text} })

	allocsOf("constant_allocs", func() { sink = 42 })
	allocsOf("small_allocs", func() { sink = small })
	allocsOf("large_allocs", func() { sink = large })
	allocsOf("string_allocs", func() { sink = text })
	allocsOf("pointer_allocs", func() { sink = pointer })

	numbers = map[string]int{"a": 1}
	allocsOf("map_allocs", func() { sink = numbers })
}
