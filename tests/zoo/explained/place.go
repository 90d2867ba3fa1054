// Command explained has one function for each decision of the compiler, and measures what each one allocates.
package main

import (
	"fmt"
	"runtime"
	"testing"
	"unsafe"
)

// Loose has holes; ordered by alignment it has fewer.
type Loose struct {
	ready bool
	count int64
	dirty bool
	sizes [3]uint16
	name  string
}

// Wide is larger than what needs no malloc header.
type Wide struct {
	next *Wide
	room [600]byte
}

var (
	kept   *Loose
	boxed  any
	number = 1 << 20
	wide   *Wide
)

//go:noinline
func stores() {
	kept = &Loose{count: 7} // line: stores
}

//go:noinline
func stays() int64 {
	here := &Loose{count: 7} // line: stays
	return here.count
}

//go:noinline
func boxes() {
	boxed = number // line: boxes
}

//go:noinline
func appends(to []int) []int {
	return append(to, number) // line: appends
}

//go:noinline
func reads(from []int, at int) int {
	return from[at] // line: reads
}

//go:noinline
func passes(what *Loose) *Loose { // line: passes
	return what
}

func small() int { return number }

//go:noinline
func inlines() int {
	return small() // line: inlines
}

//go:noinline
func wides() {
	wide = &Wide{} // line: wides
}

func generic[T any](value T) *T { // line: generic
	return &value
}

func main() {
	ints := make([]int, 4)
	for name, run := range map[string]func(){
		"stores":  stores,
		"stays":   func() { stays() },
		"boxes":   boxes,
		"appends": func() { appends(ints) },
		"reads":   func() { reads(ints, 3) },
		"passes":  func() { passes(kept) },
		"inlines": func() { inlines() },
		"wides":   wides,
		"generic": func() { boxed = generic(number) },
	} {
		fmt.Println("allocates", name, testing.AllocsPerRun(100, run))
	}
	var l Loose
	fmt.Println("struct", unsafe.Sizeof(l), unsafe.Offsetof(l.count), unsafe.Offsetof(l.dirty),
		unsafe.Offsetof(l.sizes), unsafe.Offsetof(l.name))
	fmt.Println("bytes", bytesOf(wides))
}

// bytesOf is what one call allocates.
func bytesOf(run func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := 0; i < 1000; i++ {
		run()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / 1000
}
