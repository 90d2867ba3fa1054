// Who keeps a map and its values: a caller, a closure, a goroutine, a pointer into one value.
package main

import (
	"os"
	"runtime"
	"strconv"

	"lab/measure"
)

type block [1 << 20]byte

// Globals, so that what is measured is alive however little the compiler thinks of it.
var (
	cache  map[string]int
	lookup func(string) int
	blocks map[int]*block
	one    *block
	inside *byte
)

func allOf() map[string]int { return cache }

func fill(m map[string]int) {
	for i := 0; i < 100_000; i++ {
		m["key "+strconv.Itoa(i)] = i
	}
}

//go:noinline
func closureOver(m map[string]int) func(string) int {
	return func(key string) int { return m[key] }
}

func handedOut() {
	cache = map[string]int{}
	start := measure.Live()
	caller := allOf()
	caller["added by the caller"] = 1
	measure.Print("seen_in_the_global", len(cache))
	fill(caller)
	measure.Print("both_hold_bytes", measure.Live()-start)
	cache = nil
	measure.Print("caller_holds_bytes", measure.Live()-start)
	runtime.KeepAlive(caller)
	caller = nil
	measure.Print("none_holds_bytes", measure.Live()-start)
}

func closure() {
	start := measure.Live()
	m := map[string]int{}
	fill(m)
	lookup = closureOver(m)
	m = nil
	measure.Print("closure_holds_bytes", measure.Live()-start)
	measure.Print("closure_finds", lookup("key 42"))
	lookup = nil
	measure.Print("closure_dropped_bytes", measure.Live()-start)
}

func values() {
	start := measure.Live()
	blocks = map[int]*block{}
	for i := 0; i < 10; i++ {
		blocks[i] = new(block)
	}
	one = blocks[3]
	measure.Print("ten_values_bytes", measure.Live()-start)
	blocks = nil
	measure.Print("one_held_bytes", measure.Live()-start)
	inside, one = &one[7], nil
	measure.Print("inside_held_bytes", measure.Live()-start)
	inside = nil
	measure.Print("no_value_held_bytes", measure.Live()-start)
}

func keepAlive() {
	start := measure.Live()
	b := new(block)
	measure.Print("before_keepalive_bytes", measure.Live()-start)
	runtime.KeepAlive(b)
	measure.Print("after_keepalive_bytes", measure.Live()-start)
	c := new(block)
	c[0] = 1
	measure.Print("without_keepalive_bytes", measure.Live()-start)
}

func goroutine() {
	start := measure.Live()
	stop := make(chan struct{})
	func() {
		m := map[string]any{"body": new(block)}
		go func() {
			<-stop
			_ = m["body"]
		}()
	}()
	runtime.Gosched()
	measure.Print("goroutine_holds_bytes", measure.Live()-start)
	close(stop)
	measure.Goroutines(1)
	measure.Print("goroutine_ended_bytes", measure.Live()-start)
}

func main() {
	switch os.Args[1] {
	case "handed_out":
		handedOut()
	case "closure":
		closure()
	case "values":
		values()
	case "keep_alive":
		keepAlive()
	case "goroutine":
		goroutine()
	}
}
