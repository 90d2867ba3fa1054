// Command scheduler links what a program holds with what the runtime holds: a timer and a channel in globals,
// beside timers and goroutines that nobody but the scheduler knows; and a table of more elements than any list
// of fields would be written out for.
package main

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
)

const (
	timers  = 10
	private = 1 << 20
	slots   = 1 << 17
	every   = 32
)

type record struct{ text []byte }

type store struct{ buckets [slots]*record }

var (
	keep  = time.AfterFunc(time.Hour, func() {})
	wake  = make(chan int)
	table *store
)

//go:noinline
func cut(n, from, to int) []byte { return make([]byte, n)[from:to] }

//go:noinline
func schedule() {
	held := make([]byte, private)
	time.AfterFunc(time.Hour, func() { fmt.Println(len(held)) })
}

//go:noinline
func park(in chan int, held []byte) {
	n := <-in
	fmt.Println(n, len(held))
}

func main() {
	for i := 0; i < timers; i++ {
		schedule()
		go park(wake, make([]byte, private))
	}
	table = new(store)
	for i := 0; i < slots; i += every {
		table.buckets[i] = &record{text: cut(4096, 8, 16)}
	}
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	fmt.Println("READY")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}
