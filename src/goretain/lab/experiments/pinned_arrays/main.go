// Who keeps the array of a slice that shows little of it, and what lets go of it.
package main

import (
	"bytes"
	"os"
	"runtime"
	"slices"
	"unsafe"

	"lab/measure"
)

const (
	large = 1 << 20
	page  = 640 << 10
	lines = 1000
	line  = 4 << 10
)

type holder struct {
	part []byte
}

// Globals, so that what they hold is alive however little the compiler thinks of it.
var (
	call    func() byte
	byKey   = map[string][]byte{}
	queue   = make(chan []byte, 1)
	field   *holder
	part    []byte
	grown   []byte
	alias   []byte
	parts   [][]byte
	ballast []byte
)

// kept prints how much more is alive once f has run.
func kept(name string, f func()) {
	start := measure.Live()
	f()
	measure.Print(name, measure.Live()-start)
}

func holders() {
	kept("closure_bytes", func() {
		b := make([]byte, large)[:1]
		call = func() byte { return b[0] }
	})
	call = nil
	kept("map_value_bytes", func() { byKey["k"] = make([]byte, page)[:1] })
	kept("deleted_value_bytes", func() { delete(byKey, "k") })
	kept("queued_bytes", func() { queue <- make([]byte, large)[:10] })
	kept("received_bytes", func() { <-queue })
	kept("field_bytes", func() { field = &holder{make([]byte, large)[:10]} })
	field = nil
	kept("clipped_bytes", func() { part = slices.Clip(make([]byte, large)[100:110]) })
	measure.Print("clipped_cap", cap(part))
	part = nil
	kept("full_expression_bytes", func() { part = make([]byte, large)[100:110:110] })
	part = nil
}

func copies() {
	source := make([]byte, large)
	small := source[100:110]
	for name, copied := range map[string]func() []byte{
		"bytes_clone_bytes":  func() []byte { return bytes.Clone(small) },
		"slices_clone_bytes": func() []byte { return slices.Clone(small) },
		"append_bytes":       func() []byte { return append([]byte(nil), small...) },
		"copy_bytes":         func() []byte { to := make([]byte, 10); copy(to, small); return to },
	} {
		kept(name, func() { part = copied() })
		part = nil
	}
	measure.Print("cap_100_105", cap(source[100:105]))
	measure.Print("cap_1024_1034", cap(source[1024:1034]))
	runtime.KeepAlive(source)
}

func growing() {
	room := make([]byte, 4, 8)
	same := append(room, 1)
	measure.Print("within_cap_same_array", unsafe.SliceData(room) == unsafe.SliceData(same))
	moved := append(same, 1, 2, 3, 4, 5)
	measure.Print("over_cap_same_array", unsafe.SliceData(room) == unsafe.SliceData(moved))

	grown = make([]byte, large)
	kept("grown_bytes", func() { grown = append(grown, 1) })
	grown = make([]byte, large)
	kept("grown_with_alias_bytes", func() { alias, grown = grown[:1], append(grown, 1) })
	grown, alias = nil, nil
}

func logs() {
	fill := func(cut func([]byte) []byte) {
		parts = make([][]byte, 0, lines)
		for i := 0; i < lines; i++ {
			parts = append(parts, cut(make([]byte, line)))
		}
	}
	kept("log_parts_bytes", func() { fill(func(l []byte) []byte { return l[:8] }) })
	parts = nil
	kept("log_copies_bytes", func() { fill(func(l []byte) []byte { return bytes.Clone(l[:8]) }) })
	parts = nil
}

// collections returns how many cycles it takes to make and drop 200 MiB.
func collections() uint32 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := 0; i < 200; i++ {
		grown = make([]byte, large)
	}
	grown = nil
	runtime.ReadMemStats(&after)
	return after.NumGC - before.NumGC
}

func main() {
	holders()
	copies()
	growing()
	logs()
	measure.Print("collections", collections())
	ballast = make([]byte, len(os.Args)*50<<20)
	measure.Print("collections_with_much_alive", collections())
	runtime.KeepAlive(ballast)
}
