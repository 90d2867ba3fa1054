// Command cgoroots keeps objects alive by goroutines that are in C, were called back from C, and sleep below a
// callback. Facts: “Body NAME ADDRESS“. The last line is READY.
package main

/*
#include <unistd.h>

extern void goCallback(void);

static void sleeping(void) { for (;;) sleep(1000); }
static void calling(void) { goCallback(); }
static volatile long spun;
static void burning(void) { for (;;) spun++; }
*/
import "C"

import (
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// A Body is what the roots hold.
type Body struct {
	n   int64
	pad [56]byte
}

var (
	forever       = make(chan struct{})
	one     int64 = 1
)

//go:noinline
func body(name string) *Body {
	b := &Body{n: one}
	println("Body", name, uintptr(unsafe.Pointer(b)))
	return b
}

//go:noinline
func inC(b *Body) {
	C.sleeping()
	b.n++
}

//go:noinline
func burns(b *Body) {
	C.burning()
	b.n++
}

//go:noinline
func calls(b *Body) {
	C.calling()
	b.n++
}

//export goCallback
func goCallback() {
	b := body("below a callback")
	<-forever
	b.n++
}

func main() {
	go inC(body("in C"))
	go burns(body("burning"))
	go calls(body("calling"))
	time.Sleep(200 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	println("READY")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}
