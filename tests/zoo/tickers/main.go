// Command tickers makes tickers that it never stops and has no other timers: time.Timer is not in its debug
// information. Up to Go 1.22, and with what its go.mod asks for up to 1.26, they stay for ever.
//
//	tickers N    number of them
package main

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

func poll(f func()) {
	ticks := time.NewTicker(time.Hour).C
	select {
	case <-ticks:
		f()
	default:
	}
}

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	for i := 0; i < n; i++ {
		poll(func() {})
	}
	runtime.GC()
	runtime.GC()
	println("READY")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}
