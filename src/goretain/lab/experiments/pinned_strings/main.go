// What sub-strings keep alive, and what they cost.
package main

import (
	"os"
	"strings"
	"unsafe"

	"lab/measure"
)

const (
	large  = 1 << 20
	fields = 32 << 10
)

// A literal of 256 KiB.
const (
	words  = "a literal, which the linker puts into the program's constants.  "
	page   = words + words + words + words
	chunk  = page + page + page + page
	part   = chunk + chunk + chunk + chunk
	volume = part + part + part + part
	all    = volume + volume + volume + volume
)

var (
	kept    string
	sink    any
	literal = all + all + all + all
)

//go:noinline
func keep(s string) { kept = s[:3] }

//go:noinline
func local(s string) int { return len(s[:3]) }

func objects(name string, f func()) {
	bytes, count := measure.Allocated(f)
	measure.Print(name+"_allocs", count)
	measure.Print(name+"_bytes", bytes)
}

func live(name string, f func()) {
	start := measure.Live()
	f()
	measure.Print(name, measure.Live()-start)
	kept = ""
}

func main() {
	live("part_bytes", func() { kept = strings.Repeat("x", large)[:len(os.Args)+1] })
	live("clone_bytes", func() { kept = strings.Clone(strings.Repeat("x", large)[:len(os.Args)+1]) })
	live("field_bytes", func() { kept = strings.Split(strings.Repeat("some,", fields), ",")[len(os.Args)] })
	live("literal_bytes", func() { kept = literal[len(os.Args):] })

	whole := strings.Repeat("x", 100)
	cut := whole[10:20]
	measure.Print("same_text", uintptr(unsafe.Pointer(unsafe.StringData(cut)))-uintptr(unsafe.Pointer(unsafe.StringData(whole))) == 10)
	objects("stored_part", func() { keep(whole) })
	objects("local_part", func() { _ = local(whole) })
	objects("part_in_interface", func() { sink = whole[len(os.Args):] })
}
