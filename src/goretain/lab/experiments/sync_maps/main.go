// What a sync.Map keeps, what it costs beside a map, and what it does not protect.
package main

import (
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"lab/measure"
)

const entries = 20_000

var (
	stored *sync.Map
	plain  map[string]int
	names  []string
	sink   any
	reader view
)

// view hides the methods of a sync.Map that change it, as read-only wrappers do.
type view interface {
	Get(key any) (any, bool)
}

type readOnly struct{ m *sync.Map }

func (r *readOnly) Get(key any) (any, bool) { return r.m.Load(key) }

//go:noinline
func newView(m *sync.Map) view { return &readOnly{m} }

func key(i int) string { return "key " + strconv.Itoa(i) }

func values() {
	start := measure.Live()
	stored = new(sync.Map)
	for i := 0; i < entries; i++ {
		stored.Store(key(i), make([]byte, 1024))
	}
	measure.Print("values_stored_bytes", measure.Live()-start)
	for i := 0; i < entries; i++ {
		stored.Delete(key(i))
	}
	measure.Print("values_deleted_bytes", measure.Live()-start)
}

func keys() {
	start := measure.Live()
	stored = new(sync.Map)
	for i := 0; i < entries; i++ {
		stored.Store(strings.Repeat("k", 1000)+strconv.Itoa(i), i)
	}
	all := func(_, _ any) bool { return true }
	stored.Range(all)
	measure.Print("keys_stored_bytes", measure.Live()-start)
	// each key made anew, so that only the map can hold the one it was stored under
	for i := 0; i < entries; i++ {
		stored.Delete(strings.Repeat("k", 1000) + strconv.Itoa(i))
	}
	measure.Print("keys_deleted_bytes", measure.Live()-start)
	left := 0
	stored.Range(func(_, _ any) bool { left++; return true })
	measure.Print("keys_seen_after_delete", left)
	measure.Print("keys_deleted_and_ranged_bytes", measure.Live()-start)
	for i := 0; i < 3; i++ {
		stored.Store(key(i), i)
	}
	stored.Range(all)
	measure.Print("keys_after_new_stores_bytes", measure.Live()-start)
	fields := reflect.VisibleFields(reflect.TypeOf(sync.Map{}))
	words := make([]string, len(fields))
	for i, field := range fields {
		words[i] = field.Name
	}
	measure.Print("fields", strings.Join(words, " "))
}

func perEntry() {
	start := measure.Live()
	plain = map[string]int{}
	for i := 0; i < 150_000; i++ {
		plain[key(i)] = i
	}
	measure.Print("plain_map_bytes", measure.Live()-start)
	plain = nil
	start = measure.Live()
	stored = new(sync.Map)
	for i := 0; i < 150_000; i++ {
		stored.Store(key(i), i)
	}
	measure.Print("sync_map_bytes", measure.Live()-start)
}

func reading() {
	stored = new(sync.Map)
	names = make([]string, 1000)
	for i := range names {
		names[i] = key(i)
		stored.Store(names[i], i)
	}
	stored.Range(func(_, _ any) bool { return true })
	reader = newView(stored)
	_, objects := measure.Allocated(func() {
		for _, name := range names {
			sink, _ = stored.Load(name)
		}
	})
	measure.Print("thousand_loads_allocs", objects)
	_, objects = measure.Allocated(func() {
		for _, name := range names {
			sink, _ = reader.Get(name)
		}
	})
	measure.Print("thousand_gets_by_interface_allocs", objects)
}

func aliasing() {
	stored = new(sync.Map)
	stored.Store("slice", []byte{1, 2, 3})
	got, _ := newView(stored).Get("slice")
	got.([]byte)[0] = 99
	again, _ := stored.Load("slice")
	measure.Print("changed_through_view", again.([]byte)[0] == 99)

	start := measure.Live()
	stored.Store("page", make([]byte, 1<<20)[:10])
	measure.Print("page_stored_bytes", measure.Live()-start)
	old, _ := stored.Load("page")
	stored.Store("page", append([]byte(nil), old.([]byte)...))
	old = nil
	measure.Print("page_replaced_bytes", measure.Live()-start)
}

// updating appends from four goroutines by Load and Store. Each waits for the others between its two steps, so
// that updates meet on every machine.
func updating() {
	stored = new(sync.Map)
	stored.Store("list", []int(nil))
	const writers, rounds = 4, 100
	for round := 0; round < rounds; round++ {
		var loaded, done sync.WaitGroup
		loaded.Add(writers)
		done.Add(writers)
		for w := 0; w < writers; w++ {
			go func() {
				defer done.Done()
				list, _ := stored.Load("list")
				loaded.Done()
				loaded.Wait()
				longer := append(append([]int(nil), list.([]int)...), round)
				stored.Store("list", longer)
			}()
		}
		done.Wait()
	}
	list, _ := stored.Load("list")
	measure.Print("updates_made", writers*rounds)
	measure.Print("updates_kept", len(list.([]int)))
}

// best returns the shortest of many times that f takes: what else runs on the machine makes none of them shorter.
func best(f func()) time.Duration {
	shortest := time.Hour
	for i := 0; i < 400; i++ {
		start := time.Now()
		f()
		if took := time.Since(start); took < shortest {
			shortest = took
		}
	}
	return shortest
}

func iterating() {
	plain, stored = map[string]int{}, new(sync.Map)
	for i := 0; i < 1000; i++ {
		plain[key(i)] = i
		stored.Store(key(i), i)
	}
	sum := 0
	add := func(_, value any) bool { sum += value.(int); return true }
	stored.Range(add)
	ofMap := best(func() {
		for _, value := range plain {
			sum += value
		}
	})
	ofSyncMap := best(func() { stored.Range(add) })
	sink = sum
	measure.Print("times_as_long", float64(ofSyncMap)/float64(ofMap))
}

func main() {
	switch os.Args[1] {
	case "values":
		values()
	case "keys":
		keys()
	case "per_entry":
		perEntry()
	case "iterating":
		iterating()
	case "reading":
		reading()
	case "aliasing":
		aliasing()
	case "updating":
		updating()
	}
}
