// What it costs to hand a map on: as it is, as an interface, to fmt, to encoding/json, to goroutines.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"sync"
	"unsafe"

	"lab/measure"
)

const (
	entries = 100_000
	workers = 8
)

// Globals, so that what they hold is alive however little the compiler thinks of it.
var (
	direct   map[string]int
	anything any
	typed    map[string]int
	renamed  counts
	shared   any
	alone    map[int]int
	output   []byte
)

type counts map[string]int

//go:noinline
func passMap(m map[string]int) int { return len(m) }

//go:noinline
func passPointer(m *map[string]int) int { return len(*m) }

//go:noinline
func passAny(v any) int { return len(v.(map[string]int)) }

//go:noinline
func keepMap(m map[string]int) { typed = m }

//go:noinline
func keepAny(v any) { anything = v }

func filled() map[string]int {
	m := make(map[string]int)
	for i := 0; i < entries; i++ {
		m["key"+strconv.Itoa(i)] = i
	}
	return m
}

func allocated(name string, f func()) {
	bytes, objects := measure.Allocated(f)
	measure.Print(name+"_bytes", bytes)
	measure.Print(name+"_allocs", objects)
}

func pointer(m map[string]int) uintptr { return *(*uintptr)(unsafe.Pointer(&m)) }

func costs() {
	start := measure.Live()
	direct = filled()
	measure.Print("map_bytes", measure.Live()-start)
	measure.Print("variable_bytes", unsafe.Sizeof(direct))
	allocated("pass_map", func() { passMap(direct) })
	allocated("pass_pointer", func() { passPointer(&direct) })
	allocated("pass_any", func() { passAny(direct) })
	allocated("keep_any", func() { keepAny(direct) })
	allocated("new_and_kept_map", func() { keepMap(map[string]int{"a": 1}) })
	allocated("new_and_kept_any", func() { keepAny(map[string]int{"a": 1}) })
	allocated("convert", func() { renamed = reflect.ValueOf(direct).Convert(reflect.TypeOf(renamed)).Interface().(counts) })
	measure.Print("convert_shares", pointer(renamed) == pointer(direct))

	word := (*[2]uintptr)(unsafe.Pointer(&anything))
	keepAny(direct)
	measure.Print("interface_word_is_the_map", word[1] == pointer(direct))
	measure.Print("address_is_the_header", uintptr(unsafe.Pointer(&direct)) == pointer(direct))
	measure.Print("percent_p_is_the_header", fmt.Sprintf("%p", direct) == fmt.Sprintf("%#x", pointer(direct)))
}

func printing() {
	start := measure.Live()
	allocated("printed", func() { fmt.Fprintf(io.Discard, "%v", direct) })
	allocated("marshalled", func() { output, _ = json.Marshal(direct) })
	measure.Print("output_bytes", len(output))
	output = nil
	measure.Print("left_after_printing_bytes", measure.Live()-start)
}

func aliases() {
	anything = direct
	before := pointer(direct)
	through := anything.(map[string]int)
	through["new"] = 1
	_, seen := direct["new"]
	measure.Print("write_is_seen", seen)
	for i := 0; i < 2*entries; i++ {
		through["more"+strconv.Itoa(i)] = i
	}
	measure.Print("grown_length", len(direct))
	measure.Print("header_unchanged", pointer(direct) == before)
	clear(through)
	measure.Print("cleared_length", len(direct))
	direct, typed, renamed, anything = nil, nil, nil, nil
}

func workersFill() {
	start := measure.Live()
	shared = map[int]int{}
	var lock sync.Mutex
	var group sync.WaitGroup
	for w := 0; w < workers; w++ {
		group.Add(1)
		go func(w int) {
			defer group.Done()
			m := shared.(map[int]int)
			for i := 0; i < entries; i++ {
				lock.Lock()
				m[i*workers+w] = i
				lock.Unlock()
			}
		}(w)
	}
	group.Wait()
	measure.Print("workers_bytes", measure.Live()-start)
	measure.Print("workers_length", len(shared.(map[int]int)))
	shared = nil

	start = measure.Live()
	alone = map[int]int{}
	for i := 0; i < entries*workers; i++ {
		alone[i] = i
	}
	measure.Print("alone_bytes", measure.Live()-start)
}

func main() {
	costs()
	printing()
	aliases()
	workersFill()
}
