// Experiment of finalizer-queue-blocked: finalizers, and from Go 1.24 on cleanups, behind one that waits.
//
//	leak   a finalizer says goodbye on a connection that does not answer; all others wait for it
//	fixed  it does so in a goroutine of its own
//
// The connections keep 4 KiB each.
package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

const (
	connections = 400
	size        = 4 << 10
)

type conn struct {
	number int
	buffer *[size]byte
}

var (
	answers = make(chan int)
	fixed   bool
	waiting atomic.Int64
	sink    int
)

func goodbye() {
	waiting.Add(1)
	sink += <-answers
}

func closeConn(c *conn) {
	if fixed {
		go goodbye()
		return
	}
	goodbye()
	sink += c.number
}

//go:noinline
func connect(number int) {
	c := &conn{number: number, buffer: new([size]byte)}
	runtime.SetFinalizer(c, closeConn)
}

// collect waits until so many calls wait, and the rest of the queue behind them.
func collect(calls int64) {
	runtime.GC()
	for waiting.Load() < calls {
		time.Sleep(time.Millisecond)
	}
	runtime.GC()
}

func main() {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	fixed = len(os.Args) > 1 && os.Args[1] == "fixed"
	for i := 0; i < connections; i++ {
		connect(i)
	}
	collect(1)
	collect(1 + cleanups())
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
