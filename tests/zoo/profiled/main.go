// Profiled is a service with every kind of profile that the runtime makes. It prints the address that it
// serves net/http/pprof on, and what it keeps: "kept FUNCTION BYTES". /grow keeps 16 MiB more and lets go of
// what dropped kept; /gone panics a goroutine, whose output ends the program.
package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

type record struct {
	next *record
	body [4000]byte
}

var (
	kept    [][]byte
	records *record
	dropped [][]byte
	grown   [][]byte
	buffers []*bytes.Buffer
	pairs   []*pair[int]
	large   []byte
	few     [][]byte
	sink    []byte
	mutex   sync.Mutex
)

type pair[T any] struct {
	left, right T
	room        [1000]byte
}

func keep(n int) {
	for i := 0; i < n; i++ {
		kept = append(kept, make([]byte, 4096))
	}
}

func link(n int) {
	for i := 0; i < n; i++ {
		records = &record{next: records}
	}
}

func newPair[T any](left, right T) *pair[T] { return &pair[T]{left: left, right: right} }

func pairUp(n int) {
	for i := 0; i < n; i++ {
		pairs = append(pairs, newPair(i, -i))
	}
}

func writeReport() { buffers = append(buffers, filled(2<<20)) }
func writeIndex()  { buffers = append(buffers, filled(6<<20)) }

func filled(size int) *bytes.Buffer {
	buffer := new(bytes.Buffer)
	for buffer.Len() < size {
		buffer.Write(make([]byte, 1<<14))
	}
	return buffer
}

func churn() {
	for i := 0; i < 4000; i++ {
		sink = make([]byte, 1<<16)
	}
	sink = nil
}

//go:noinline
func wait(stop chan bool) { <-stop }

func worker(stop chan bool) { wait(stop) }

func contend(done chan bool) {
	for i := 0; i < 20; i++ {
		mutex.Lock()
		time.Sleep(200 * time.Microsecond)
		mutex.Unlock()
	}
	done <- true
}

func grow(w http.ResponseWriter, _ *http.Request) {
	for i := 0; i < 1024; i++ {
		grown = append(grown, make([]byte, 1<<14))
	}
	dropped = nil
	runtime.GC()
	fmt.Fprintln(w, "grown")
}

func gone(http.ResponseWriter, *http.Request) {
	go func() {
		var none map[string]int
		none["it"] = 1
	}()
}

func main() {
	runtime.SetBlockProfileRate(1)
	runtime.SetMutexProfileFraction(1)
	keep(8000)
	link(3000)
	pairUp(20000)
	writeReport()
	writeIndex()
	churn()
	large = make([]byte, 8<<20)
	few = append(few, make([]byte, 40000), make([]byte, 40000))
	for i := 0; i < 512; i++ {
		dropped = append(dropped, make([]byte, 1<<14))
	}
	stop := make(chan bool)
	for i := 0; i < 12; i++ {
		set := pprof.Labels("queue", fmt.Sprint("q", i%3), "kind", "worker")
		pprof.Do(context.Background(), set, func(context.Context) { go worker(stop) })
	}
	done := make(chan bool)
	for i := 0; i < 3; i++ {
		go contend(done)
	}
	for i := 0; i < 3; i++ {
		<-done
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	http.HandleFunc("/grow", grow)
	http.HandleFunc("/gone", gone)
	runtime.GC()
	runtime.GC()
	println("kept", "main.keep", 8000*4096)
	println("kept", "main.link", 3000*4096)
	println("kept", "main.pairUp", 20000*1024)
	println("kept", "main.main", 8<<20+512<<14)
	println("url http://" + listener.Addr().String())
	println("READY")
	err = http.Serve(listener, nil)
	println(err.Error())
	runtime.KeepAlive(stop)
}
