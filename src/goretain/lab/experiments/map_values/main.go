// What values cost in a map by their type and size, and when they are freed.
package main

import (
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"lab/measure"
)

type (
	small  [128]byte
	large  [129]byte
	record struct {
		name string
		id   int64
	}
)

var (
	texts   = map[string]string{"k": ""}
	records = map[string]record{"k": {}}
	smalls  map[int]small
	larges  map[int]large
	values  map[int]any
	freed   atomic.Int64
)

func allocations() {
	_, objects := measure.Allocated(func() { texts["k"] = "a constant" })
	measure.Print("constant_stored_allocs", objects)
	_, objects = measure.Allocated(func() { records["k"] = record{"Alice", 1} })
	measure.Print("struct_overwritten_allocs", objects)

	start := measure.Live()
	smalls = map[int]small{}
	for i := 0; i < 20_000; i++ {
		smalls[i] = small{}
	}
	measure.Print("inline_filled_bytes", measure.Live()-start)
	for i := 0; i < 20_000; i++ {
		delete(smalls, i)
	}
	measure.Print("inline_deleted_bytes", measure.Live()-start)
	smalls = nil

	start = measure.Live()
	larges = map[int]large{}
	for i := 0; i < 20_000; i++ {
		larges[i] = large{}
	}
	measure.Print("apart_filled_bytes", measure.Live()-start)
	for i := 0; i < 20_000; i++ {
		delete(larges, i)
	}
	measure.Print("apart_deleted_bytes", measure.Live()-start)
	larges = nil

	smalls, larges = make(map[int]small, 2000), make(map[int]large, 2000)
	_, objects = measure.AllocatedOnce(func() {
		for i := 0; i < 800; i++ {
			smalls[i] = small{}
		}
	})
	measure.Print("inline_800_allocs", objects)
	_, objects = measure.AllocatedOnce(func() {
		for i := 0; i < 800; i++ {
			larges[i] = large{}
		}
	})
	measure.Print("apart_800_allocs", objects)
}

// freedOf counts how many of a thousand values are freed while they are stored, and after the map is cleared.
func freedOf(name string, made func() any) {
	freed.Store(0)
	values = map[int]any{}
	for i := 0; i < 1000; i++ {
		values[i] = made()
	}
	measure.Print(name+"_freed_while_stored", collected(1))
	clear(values)
	measure.Print(name+"_freed_after", collected(1000))
}

func collected(want int64) int64 {
	for i := 0; i < 4 || i < 100 && freed.Load() < want; i++ {
		runtime.GC()
		time.Sleep(5 * time.Millisecond)
	}
	return freed.Load()
}

func lifetimes() {
	freedOf("number", func() any {
		n := new([2]int64)
		runtime.SetFinalizer(n, func(*[2]int64) { freed.Add(1) })
		return n
	})
	freedOf("bytes", func() any {
		b := new([32]byte)
		runtime.SetFinalizer(b, func(*[32]byte) { freed.Add(1) })
		return b
	})
	freedOf("pointers", func() any {
		p := &struct{ a, b *int }{new(int), new(int)}
		runtime.SetFinalizer(p, func(*struct{ a, b *int }) { freed.Add(1) })
		return p
	})
}

func main() {
	switch os.Args[1] {
	case "allocations":
		allocations()
	case "lifetimes":
		lifetimes()
	}
}
