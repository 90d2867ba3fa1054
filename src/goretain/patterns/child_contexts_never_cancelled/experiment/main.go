// Experiment of child-contexts-never-cancelled: requests derive contexts from one that lives as long as the program.
//
//	leak   the cancel functions of requests and polls, and the stop functions of watches, are dropped
//	fixed  they are called when the work ends
//
// Both modes keep healthy neighbours: workers that wait with a child context each.
package main

import (
	"context"
	"os"
	"runtime"
	"time"
)

const (
	requests = 5000
	polls    = 1000
	watches  = 200
	workers  = 100
)

var (
	server, stopServer = context.WithCancel(context.Background())
	poller, stopPoller = context.WithCancel(context.Background())
	sink               int
)

func handle(fixed bool) {
	ctx, cancel := context.WithCancel(server)
	select {
	case <-ctx.Done():
	default:
	}
	if fixed {
		cancel()
	}
}

func poll(fixed bool) {
	ctx, cancel := context.WithTimeout(poller, time.Hour)
	if ctx.Err() != nil {
		sink++
	}
	if fixed {
		cancel()
	}
}

func watch(fixed bool) {
	buffer := make([]byte, 4<<10)
	stop := context.AfterFunc(server, func() { sink += len(buffer) })
	if fixed {
		stop()
	}
}

func work(ctx context.Context) {
	<-ctx.Done()
}

func main() {
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	for i := 0; i < requests; i++ {
		handle(fixed)
	}
	for i := 0; i < polls; i++ {
		poll(fixed)
	}
	for i := 0; i < watches; i++ {
		watch(fixed)
	}
	for i := 0; i < workers; i++ {
		ctx, cancel := context.WithCancel(server)
		defer cancel()
		go work(ctx)
	}
	time.Sleep(50 * time.Millisecond)
	ready()
	stopServer()
	stopPoller()
}

func ready() {
	runtime.GC()
	runtime.GC()
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
