// What of closures, interfaces and slices is put on the stack, and up to which size.
package main

import (
	"os"

	"lab/measure"
)

var (
	sinkFunc func(int) int
	sinkAny  any
	total    int
)

//go:noinline
func adder(x int) func(int) int {
	return func(y int) int { return x + y }
}

func inlinedAdder(x int) func(int) int {
	return func(y int) int { return x + y }
}

//go:noinline
func boxed(n int) any { return n }

//go:noinline
func boxedConstant() any { return 42 }

func inlinedBoxed(n int) any { return n }

// node is a link of a chain that is built and dropped.
type node struct{ next *node }

//go:noinline
func chain(depth int) *node {
	if depth == 0 {
		return new(node)
	}
	return &node{next: chain(depth - 1)}
}

//go:noinline
func bytes64K() byte {
	b := make([]byte, 64<<10)
	return b[total&1023]
}

//go:noinline
func bytes64KAndOne() byte {
	b := make([]byte, 64<<10+1)
	return b[total&1023]
}

//go:noinline
func array128K() byte {
	var b [128 << 10]byte
	return b[total&1023]
}

//go:noinline
func array256K() byte {
	var b [256 << 10]byte
	return b[total&1023]
}

//go:noinline
func tenOf(n int) int {
	s := make([]byte, n)
	return len(s) + int(s[0])
}

func objects(name string, f func()) {
	_, count := measure.Allocated(f)
	measure.Print(name, count)
}

func main() {
	n := len(os.Args) // 2, unknown to the compiler
	objects("adder_allocs", func() { sinkFunc = adder(n) })
	objects("inlined_adder_allocs", func() { total += inlinedAdder(n)(1) })
	objects("boxed_constant_allocs", func() { sinkAny = boxedConstant() })
	objects("boxed_200_allocs", func() { sinkAny = boxed(198 + n) })
	objects("boxed_1000_allocs", func() { sinkAny = boxed(998 + n) })
	objects("inlined_boxed_allocs", func() { total += inlinedBoxed(998 + n).(int) })
	objects("chain_10_allocs", func() { chain(8 + n) })
	objects("chain_100_allocs", func() { chain(98 + n) })
	objects("bytes_64k_allocs", func() { total += int(bytes64K()) })
	objects("bytes_over_64k_allocs", func() { total += int(bytes64KAndOne()) })
	objects("array_128k_allocs", func() { total += int(array128K()) })
	objects("array_256k_allocs", func() { total += int(array256K()) })
	objects("ten_bytes_of_unknown_length_allocs", func() { total += tenOf(8 + n) })
}
