// Command lost keeps objects in the ways in which other tools lose them, and says where each of them is.
//
// Facts: “at WAY ADDRESS“, some for each way. The last line is READY.
package main

import (
	"runtime"
	"runtime/debug"
	"time"
	"unsafe"
)

const (
	few   = 3
	small = 100  // elements of an array of 2,400 bytes: its type stands in front of it from Go 1.22 on
	large = 4000 // of 96,000 bytes: its type stands in its span
)

// A body is what is kept; nothing else refers to it.
type body [1000]byte

//go:noinline
func made(way string) *body {
	b := new(body)
	println("at", way, uintptr(unsafe.Pointer(b)))
	return b
}

type server struct{ body *body }

func (s *server) handle() int { return int(s.body[0]) }

// point is a receiver that is copied into the method value.
type point struct {
	x, y int
	body *body
}

func (p point) draw() int { return p.x + int(p.body[0]) }

type row struct {
	id   int
	body *body
	next *row
}

// one and single are structs that an interface holds without an object of their own.
type (
	one    struct{ body *body }
	single struct{ list [1]*body }
)

type box struct {
	n     int
	value any
}

var (
	methods  []func() int
	copied   []func() int
	closures []func() int
	nested   []func() func() int
	rows     []row
	table    []row
	structs  []any
	arrays   []any
	channels []any
	inside   box
	sink     int
)

//go:noinline
func captures(b *body, n int) func() int { return func() int { return n + int(b[0]) } }

// both captures a variable that changes, which has an object of its own, and one that does not.
//
//go:noinline
func both(b *body) func() func() int {
	n := 0
	return func() func() int {
		n++
		return func() int { return n + int(b[0]) }
	}
}

func main() {
	debug.SetGCPercent(-1)
	for i := 0; i < few; i++ {
		methods = append(methods, (&server{made("method")}).handle)
		copied = append(copied, point{i, i, made("copied")}.draw)
		closures = append(closures, captures(made("captured"), i))
		nested = append(nested, both(made("nested")))
		structs = append(structs, one{made("struct")})
		arrays = append(arrays, single{[1]*body{made("array")}})
		queue := make(chan *body, 2)
		queue <- made("channel")
		channels = append(channels, queue)
	}
	rows = make([]row, small)
	for i := range rows {
		rows[i].body = made("row")
	}
	table = make([]row, large)
	for i := 0; i < large; i += 400 {
		table[i].body = made("table")
	}
	inside.value = made("inside")
	go func() {
		held := box{n: 1, value: one{made("local")}}
		hold(&held)
	}()
	weakly()
	uniquely()
	cleaned()
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	dropped()
	println("READY")
	for {
		time.Sleep(time.Hour)
	}
}

//go:noinline
func hold(b *box) {
	time.Sleep(time.Hour)
	sink += b.n
}
