// Command sending leaks goroutines that send to channels which nobody reads: values of many kinds, each of which
// alone holds an array of its own size.
//
// Prints "Sent function bytes type" for each: what lies in memory at the end of the chain.
package main

import (
	"errors"
	"runtime"
	"syscall"
	"time"
)

type answer struct {
	data []byte
	err  error
	meta map[string][]byte
}

type wide struct {
	before [40]int
	last   *[5120]int
}

//go:noinline
func buffer(size int) ([]byte, error) { return make([]byte, size), errors.New("late") }

//go:noinline
func sendStruct(to chan answer) {
	data, err := buffer(8 << 10)
	to <- answer{data: data, err: err, meta: map[string][]byte{"page": make([]byte, 16<<10)}}
}

//go:noinline
func sendSlice(to chan []byte) {
	data, _ := buffer(24 << 10)
	to <- data
}

//go:noinline
func sendPointer(to chan *wide) { to <- &wide{last: new([5120]int)} }

//go:noinline
func sendWide(to chan wide) { to <- wide{last: new([5120]int)} }

//go:noinline
func sendBoxed(to chan any) {
	data, _ := buffer(32 << 10)
	to <- data
}

//go:noinline
func sendFunction(to chan func() int) {
	data, _ := buffer(48 << 10)
	to <- func() int { return int(data[len(data)/2]) + cap(data) }
}

var escaped *[]byte

// The variable lies in the heap, and is sent from there.
//
//go:noinline
func sendEscaped(to chan []byte) {
	data, _ := buffer(64 << 10)
	escaped = &data
	escaped = nil
	to <- data
}

//go:noinline
func sendOrGiveUp(to chan []byte, never chan struct{}) {
	data, _ := buffer(56 << 10)
	select {
	case to <- data:
	case <-never:
	}
}

func start(function string, bytes int, kind string, send func()) {
	println("Sent", function, bytes, kind)
	go send()
}

func main() {
	start("sendStruct", 8<<10, "[]byte", func() { sendStruct(make(chan answer)) })
	println("Sent", "sendStruct", 16<<10, "[]byte")
	start("sendSlice", 24<<10, "[]byte", func() { sendSlice(make(chan []byte)) })
	start("sendPointer", 40<<10, "[5120]int", func() { sendPointer(make(chan *wide)) })
	start("sendWide", 40<<10, "[5120]int", func() { sendWide(make(chan wide)) })
	start("sendBoxed", 32<<10, "[]byte", func() { sendBoxed(make(chan any)) })
	start("sendFunction", 48<<10, "[]byte", func() { sendFunction(make(chan func() int)) })
	start("sendOrGiveUp", 56<<10, "[]byte", func() { sendOrGiveUp(make(chan []byte), make(chan struct{})) })
	start("sendEscaped", 64<<10, "[]byte", func() { sendEscaped(make(chan []byte)) })
	for runtime.NumGoroutine() < 9 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	runtime.GC()
	println("READY")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}
