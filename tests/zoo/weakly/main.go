// Goroutines that wait beside weak pointers (from Go 1.24 on): one that the program has leads to what wakes them, or not.
//
// Prints "PLANTED name count" or "ALIVE name count".
package main

import (
	"runtime"
	"syscall"
	"time"
	"weak"
)

const each = 4

type session struct {
	buffer [64 << 10]byte
	done   chan struct{}
}

var apart *int

// Index of the sessions that are alive, by number.
var sessions = map[int]weak.Pointer[session]{}

func main() {
	println("ALIVE", "main.liveIndexed", each)
	println("PLANTED", "main.leakOwn", each)
	println("PLANTED", "main.leakElsewhere", each)
	for i := 0; i < each; i++ {
		indexed, elsewhere := newSession(), newSession()
		sessions[2*i], sessions[2*i+1] = weak.Make(indexed), weak.Make(elsewhere)
		go liveIndexed(indexed)
		go leakElsewhere(elsewhere, make(chan struct{}))
		// Up to Go 1.26 a handle may share its 16 bytes with another one: these share with garbage.
		own := newSession()
		apart = new(int)
		handle := weak.Make(own)
		apart = new(int)
		go leakOwn(own, handle)
	}
	apart = nil
	time.Sleep(100 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	println("READY")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}

func newSession() *session { return &session{done: make(chan struct{})} }

//go:noinline
func liveIndexed(s *session) {
	<-s.done
	runtime.KeepAlive(s)
}

// Its own weak pointer is all there is.
//
//go:noinline
func leakOwn(s *session, w weak.Pointer[session]) {
	<-s.done
	runtime.KeepAlive(w.Value())
	runtime.KeepAlive(s)
}

// The program can get at its session, but not at what it waits for.
//
//go:noinline
func leakElsewhere(s *session, done chan struct{}) {
	<-done
	runtime.KeepAlive(s)
}
