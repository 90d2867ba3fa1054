// Command sampled holds objects of many allocation sites and writes its own heap profile: what runtime/pprof says
// of each site is what goretain has to find.
//
//	sampled every FILE    every allocation is recorded until the profile is written, none after that
//	sampled usual FILE    one in 512 KiB of them, to the end; and timers are set
//	sampled none          none from the start of main on
package main

import (
	"bytes"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"
)

type node struct {
	next *node
	pad  [6]int64
}

type record struct {
	name string
	body []byte
	more *node
	rest [80]int64 // more than 512 bytes with pointers: a malloc header before it, from Go 1.22 on
}

var (
	list    *node
	last    *node
	records []*record
	buffers []*bytes.Buffer
	texts   []string
	byName  map[string]*record
	boxes   []*box[string]
	deep    [][]byte
	large   [][]byte
	tiny    []*byte
	work    = make(chan [][]byte)
	stop    = make(chan struct{})
)

type box[T any] struct {
	value T
	pad   [3]int64
}

func newBox[T any](value T) *box[T] { return &box[T]{value: value} }

// small is inlined into push, and push into grow.
func small() *node { return new(node) }

func push() {
	n := small()
	n.next, list = list, n
}

func grow(count int) {
	for i := 0; i < count; i++ {
		push()
	}
}

//go:noinline
func load(count int) {
	for i := 0; i < count; i++ {
		r := &record{name: strings.Repeat("n", 100+i%7), body: make([]byte, 1000)}
		records = append(records, r)
		byName[r.name+string(rune('a'+i%26))] = r
	}
}

//go:noinline
func descend(depth int) []byte {
	if depth == 0 {
		return make([]byte, 3000)
	}
	return descend(depth - 1)
}

func worker() {
	var held [][]byte
	for i := 0; i < 40; i++ {
		held = append(held, make([]byte, 1<<10<<(i%3)))
	}
	work <- held
	<-stop
	runtime.KeepAlive(held)
}

func fill(scale int) {
	byName = map[string]*record{}
	grow(400 * scale)
	load(300 * scale)
	for i := 0; i < 50*scale; i++ {
		b := new(bytes.Buffer)
		b.WriteString(strings.Repeat("x", 5000))
		buffers = append(buffers, b)
		texts = append(texts, strings.ToUpper("some text that is longer than the tiny allocator takes"))
		boxes = append(boxes, newBox("v"))
		deep = append(deep, descend(i%60))
		t := new(byte)
		tiny = append(tiny, t)
	}
	for i := 0; i < 20; i++ {
		large = append(large, make([]byte, 1<<20))
	}
	func() { large = append(large, make([]byte, 100_000)) }()
	go worker()
	<-work
}

func expire() {}

// setTimers sets three timers that call a function, one with a channel and one of a sleeper; a fourth is stopped.
func setTimers() {
	for i := 0; i < 3; i++ {
		time.AfterFunc(time.Hour, expire)
	}
	time.AfterFunc(time.Minute, expire).Stop()
	go func() {
		for range time.NewTicker(30 * time.Minute).C {
			expire()
		}
	}()
	go time.Sleep(2 * time.Hour)
	time.Sleep(20 * time.Millisecond) // until both wait
}

func main() {
	switch os.Args[1] {
	case "every":
		runtime.MemProfileRate = 1
		fill(1)
		runtime.MemProfileRate = 0
		last = new(node) // since Go 1.24 the first allocation after a change is recorded
	case "usual":
		fill(60)
		setTimers()
	case "none":
		runtime.MemProfileRate = 0
		fill(1)
	}
	// A profile is two collections behind: what is allocated counts after the second.
	runtime.GC()
	runtime.GC()
	if len(os.Args) > 2 {
		file, err := os.Create(os.Args[2])
		if err == nil {
			err = pprof.Lookup("heap").WriteTo(file, 1)
		}
		if err != nil {
			panic(err)
		}
		file.Close()
	}
	println("READY")
	for {
		syscall.Pause()
	}
}
