// Command dumped writes a heap dump (runtime/debug.WriteHeapDump) of itself to the file that its argument names,
// and then stays as it was, so that a capture of it sees the same heap.
//
// It holds what a dump has to be read for: a cache of slices that show less than they pin, a list, a goroutine
// that waits with memory of its own, a finalizer, an interface in a global, small objects of every size class up
// to 512 bytes with and without pointers, and larger ones with a malloc header.
package main

import (
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"time"
)

type page struct {
	title string
	body  []byte
}

type link struct {
	next *link
	pad  [30]int64
}

type handle struct{ buffer *[4096]byte }

type shape interface{ area() int }

type square struct{ side, pad [4]int }

func (s square) area() int { return s.side[0] }

const (
	pages = 60
	links = 2000
	small = 300
)

var (
	cache   map[int]*page
	chain   *link
	drawn   shape
	handles []*handle
	plain   [][]byte
	tables  []any
)

type (
	two    struct{ a, b *int }
	six    struct{ a, b, c, d, e, f *int }
	thirty struct{ p [30]*int }
	sixty4 struct{ p [64]*int }
	many   struct{ p [200]*int }
)

func fill() {
	cache = make(map[int]*page)
	for i := 0; i < pages; i++ {
		cache[i] = &page{"page", make([]byte, 64<<10)[:5:5]}
	}
	for i := 0; i < links; i++ {
		chain = &link{next: chain}
	}
	drawn = square{side: [4]int{len(handles)}}
	for size := 16; size <= 512; size += 16 {
		for i := 0; i < small; i++ {
			plain = append(plain, make([]byte, size))
		}
	}
	for i := 0; i < small; i++ {
		tables = append(tables, new(*int), new(two), new(six), new(thirty), new(sixty4), new(many))
	}
	h := &handle{new([4096]byte)}
	runtime.SetFinalizer(h, func(h *handle) { h.buffer = nil })
	handles = append(handles, h)
}

//go:noinline
func worker(held *[1 << 18]byte, wait chan int) {
	<-wait
	println(held[0])
}

// leak lets the runtime find a leaked goroutine (argument leaked, from Go 1.27), which the dump does not survive.
func leak() {
	go func() { <-make(chan int) }()
	time.Sleep(20 * time.Millisecond)
	if err := pprof.Lookup("goroutineleak").WriteTo(io.Discard, 0); err != nil {
		panic(err)
	}
}

func main() {
	fill()
	file, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	if len(os.Args) > 2 {
		leak()
	}
	wait := make(chan int)
	go worker(new([1 << 18]byte), wait)
	time.Sleep(20 * time.Millisecond)
	for i := 0; i < 3; i++ {
		runtime.GC()
		time.Sleep(5 * time.Millisecond)
	}
	debug.WriteHeapDump(file.Fd())
	println("READY")
	time.Sleep(time.Hour)
	runtime.KeepAlive(wait)
}
