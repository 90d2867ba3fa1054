// How large interfaces are, and what they point to.
package main

import (
	"os"
	"strings"
	"unsafe"

	"lab/measure"
)

type event struct {
	id         int64
	kind, text string
}

type flagged struct {
	flag  bool
	value any
}

var (
	sink any
	anys []any
	sum  int
)

const values = 1000

//go:noinline
func sumAnys(of []any) (total int) {
	for _, v := range of {
		total += v.(int)
	}
	return total
}

//go:noinline
func sumInts[T int | int64](of []T) (total T) {
	for _, v := range of {
		total += v
	}
	return total
}

func allocated(name string, f func()) int64 {
	bytes, objects := measure.Allocated(f)
	measure.Print(name+"_bytes", bytes)
	measure.Print(name+"_allocs", objects)
	return bytes
}

func boxedFrom(first int) {
	boxed := make([]any, values)
	for i := range boxed {
		boxed[i] = first + i%200
	}
	anys = boxed
}

func main() {
	n := len(os.Args) // 2, unknown to the compiler
	measure.Print("interface_bytes", unsafe.Sizeof(sink))
	measure.Print("interface_alignment", unsafe.Alignof(sink))
	measure.Print("offset_behind_bool", unsafe.Offsetof(flagged{}.value))
	measure.Print("event_bytes", unsafe.Sizeof(event{}))
	measure.Print("event_kind_offset", unsafe.Offsetof(event{}.kind))
	measure.Print("event_text_offset", unsafe.Offsetof(event{}.text))

	flag, text := n == 2, strings.Repeat("x", n)
	allocated("bool", func() { sink = flag })
	allocated("string", func() { sink = text })

	below := allocated("below_256", func() { boxedFrom(n - 2) })
	above := allocated("above_256", func() { boxedFrom(998 + n) })
	// of many: small objects without pointers share blocks of 16 bytes
	measure.Print("int64_bytes", (above-below)/values)
	ints := make([]int, values)
	allocated("sum_anys", func() { sum = sumAnys(anys) })
	allocated("sum_ints", func() { sum = sumInts(ints) })
}
