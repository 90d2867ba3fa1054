// Experiment of timer-holds-memory: timers that outlive the work they were set for.
//
//	leak   every watch makes a ticker and never stops it, every request waits with time.After, every upload
//	       sets an alarm whose function captures its buffer
//	fixed  they stop their timers
//
// Both modes keep healthy neighbours: goroutines that wait for time.Tick, and a timer in a variable.
// The collector of Go 1.23 and later takes tickers and channel timers that nobody refers to.
package main

import (
	"os"
	"runtime"
	"time"
)

const (
	watches  = 1500
	requests = 2000
	uploads  = 500
	workers  = 100
	size     = 4 << 10
)

var (
	done  = make(chan int, 1)
	alarm = time.AfterFunc(time.Hour, func() {})
	sink  int
)

func watch(fixed bool) {
	ticker := time.NewTicker(time.Hour)
	if fixed {
		ticker.Stop()
	}
}

func request(fixed bool) {
	done <- 1
	if fixed {
		timer := time.NewTimer(time.Hour)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
		}
		return
	}
	select {
	case <-done:
	case <-time.After(time.Hour):
	}
}

func upload(fixed bool) {
	buffer := make([]byte, size)
	timer := time.AfterFunc(time.Hour, func() { sink += len(buffer) })
	if fixed {
		timer.Stop()
	}
}

func work() {
	for range time.Tick(time.Hour) {
		sink++
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	// Go 1.23 to 1.26 otherwise do for a module of go 1.21 what 1.22 did.
	os.Setenv("GODEBUG", "asynctimerchan=0")
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	for i := 0; i < watches; i++ {
		watch(fixed)
	}
	for i := 0; i < requests; i++ {
		request(fixed)
	}
	for i := 0; i < uploads; i++ {
		upload(fixed)
	}
	for i := 0; i < workers; i++ {
		go work()
	}
	time.Sleep(50 * time.Millisecond)
	ready()
	alarm.Stop()
}

func ready() {
	runtime.GC()
	runtime.GC()
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
