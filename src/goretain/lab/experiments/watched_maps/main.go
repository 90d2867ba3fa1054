// A map that drops an entry when the entry's context ends: by a goroutine for each entry, and by context.AfterFunc.
package main

import (
	"context"
	"os"
	"runtime"
	"sync"
	"time"

	"lab/measure"
)

const (
	keys  = 10_000
	again = 1000
)

type entry struct {
	value  int
	cancel context.CancelFunc
}

// watched has a goroutine for each Store, as it is often written.
type watched struct {
	mu      sync.Mutex
	entries map[int]*entry
}

func (w *watched) Store(parent context.Context, key, value int) *entry {
	ctx, cancel := context.WithCancel(parent)
	e := &entry{value, cancel}
	w.mu.Lock()
	w.entries[key] = e
	w.mu.Unlock()
	go func() {
		<-ctx.Done()
		w.Delete(key)
	}()
	return e
}

func (w *watched) Delete(key int) {
	w.mu.Lock()
	delete(w.entries, key)
	w.mu.Unlock()
}

func (w *watched) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.entries)
}

// checked asks context.AfterFunc, and deletes only the entry that it was asked for.
type checked struct {
	mu      sync.Mutex
	entries map[int]*entry
}

func (c *checked) Store(parent context.Context, key, value int) *entry {
	ctx, cancel := context.WithCancel(parent)
	e := &entry{value, cancel}
	c.mu.Lock()
	c.entries[key] = e
	c.mu.Unlock()
	context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.entries[key] == e {
			delete(c.entries, key)
		}
	})
	return e
}

func (c *checked) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

var (
	naive *watched
	safe  *checked
	child context.Context
)

// stacks returns bytes in stack spans once goroutines have come to rest.
func stacks() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.StackInuse)
}

// settled waits for a number to become want, for five seconds at most.
func settled(want int, number func() int) int {
	for i := 0; i < 500 && number() != want; i++ {
		time.Sleep(10 * time.Millisecond)
	}
	return number()
}

func costs() {
	parent, end := context.WithCancel(context.Background())
	naive = &watched{entries: make(map[int]*entry, keys)}
	heap, stack, count := measure.Live(), stacks(), runtime.NumGoroutine()
	for key := 0; key < keys; key++ {
		naive.Store(parent, key, key)
	}
	measure.Print("goroutines", settled(count+keys, runtime.NumGoroutine)-count)
	measure.Print("heap_each_bytes", (measure.Live()-heap)/keys)
	measure.Print("stack_each_bytes", (stacks()-stack)/keys)
	end()
	measure.Print("left_after_parent_ended", settled(0, naive.len))
	measure.Goroutines(count)

	parent, end = context.WithCancel(context.Background())
	naive = &watched{entries: map[int]*entry{}}
	for i := 0; i < again; i++ {
		naive.Store(parent, 1, i)
	}
	measure.Print("goroutines_of_one_key", settled(count+again, runtime.NumGoroutine)-count)
	end()
	measure.Goroutines(count)

	parent, end = context.WithCancel(context.Background())
	safe = &checked{entries: make(map[int]*entry, keys)}
	heap = measure.Live()
	for key := 0; key < keys; key++ {
		safe.Store(parent, key, key)
	}
	measure.Print("after_func_goroutines", runtime.NumGoroutine()-count)
	measure.Print("after_func_heap_each_bytes", (measure.Live()-heap)/keys)
	end()
	measure.Print("after_func_left", settled(0, safe.len))
	_, objects := measure.Allocated(func() {
		var cancel context.CancelFunc
		child, cancel = context.WithCancel(context.Background())
		cancel()
	})
	measure.Print("with_cancel_allocs", objects)
}

func removal() {
	count := runtime.NumGoroutine()
	background := context.Background()
	naive = &watched{entries: map[int]*entry{}}
	old := naive.Store(background, 1, 1)
	naive.Store(background, 1, 2)
	old.cancel()
	measure.Print("new_value_left", settled(0, naive.len))
	one := naive.Store(background, 2, 1)
	one.cancel()
	measure.Print("cancelled_entry_left", settled(0, naive.len))

	safe = &checked{entries: map[int]*entry{}}
	old = safe.Store(background, 1, 1)
	safe.Store(background, 1, 2)
	old.cancel()
	time.Sleep(100 * time.Millisecond) // long enough for a deletion that must not come
	measure.Print("after_func_new_value_left", safe.len())

	count = measure.Goroutines(count + 1)
	naive = &watched{entries: map[int]*entry{}}
	for key := 0; key < again; key++ {
		naive.Store(background, key, key)
		naive.Delete(key)
	}
	measure.Print("goroutines_of_deleted_keys", settled(count+again, runtime.NumGoroutine)-count)
}

func main() {
	if os.Args[1] == "costs" {
		costs()
	} else {
		removal()
	}
}
