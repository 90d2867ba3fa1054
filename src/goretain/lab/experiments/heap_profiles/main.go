// What heap profiles charge to whom: a program with leaks and with garbage of known sizes.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"lab/measure"
)

var (
	table   map[int]int
	pages   = map[int][]byte{}
	leaked  = map[int][]byte{}
	text    string
	garbage []byte
)

//go:noinline
func fillTable() {
	m := map[int]int{}
	for i := 0; i < 150_000; i++ {
		m[i] = i
	}
	table = m
}

//go:noinline
func makePage() []byte { return make([]byte, 1<<20) }

//go:noinline
func storePage(i int) { pages[i] = makePage()[10:20] }

//go:noinline
func churn() {
	for i := 0; i < 500_000; i++ {
		garbage = make([]byte, 64)
	}
	garbage = nil
}

//go:noinline
func leak() {
	for i := 0; i < 1000; i++ {
		leaked[len(leaked)] = make([]byte, 1024)
	}
}

//go:noinline
func makeText() string { return strings.Repeat("a", 1<<20) }

//go:noinline
func storeText() { text = makeText()[2:5] }

func write(name string) {
	file, err := os.Create(name)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if err := pprof.Lookup("heap").WriteTo(file, 0); err != nil {
		panic(err)
	}
}

func everything() {
	fillTable()
	for i := 0; i < 5; i++ {
		storePage(i)
	}
	churn()
	leak()
	storeText()
	runtime.GC()
	runtime.GC()
	write("all.pb.gz")
}

// inUse returns the bytes that the memory profile has for leak, from as many samples as there are.
func inUse() (bytes int64) {
	count, _ := runtime.MemProfile(nil, true)
	records := make([]runtime.MemProfileRecord, count+100)
	count, _ = runtime.MemProfile(records, true)
	for _, record := range records[:count] {
		frames := runtime.CallersFrames(record.Stack())
		for more := true; more; {
			var frame runtime.Frame
			frame, more = frames.Next()
			if frame.Function == "main.leak" {
				bytes += record.InUseBytes()
				break
			}
		}
	}
	return bytes
}

func age() {
	// without a sample that a collection has seen, the profile would count what is new as well
	storePage(0)
	runtime.GC()
	runtime.GC()
	leak()
	measure.Print("before_collection_bytes", inUse())
	runtime.GC()
	runtime.GC()
	measure.Print("after_collection_bytes", inUse())
}

func spans() {
	for i := 0; i < 200_000; i++ {
		leaked[i] = make([]byte, 16)
	}
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	measure.Print("spans_bytes", stats.MSpanInuse)
	measure.Print("heap_in_use_bytes", stats.HeapInuse)
}

// window fetches what the heap did within two seconds, as a service's profile is fetched.
func window() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, nil)
	leak()
	go func() {
		time.Sleep(500 * time.Millisecond)
		for i := 0; i < 5; i++ {
			storePage(i)
		}
		runtime.GC()
		runtime.GC()
	}()
	fetch(listener.Addr(), "heap?seconds=2", "window.pb.gz")
	fetch(listener.Addr(), "heap?gc=1", "whole.pb.gz")
}

func fetch(address net.Addr, what, name string) {
	answer, err := http.Get(fmt.Sprintf("http://%s/debug/pprof/%s", address, what))
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	file, err := os.Create(name)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if _, err := io.Copy(file, answer.Body); err != nil {
		panic(err)
	}
	measure.Print("fetched_"+strconv.Itoa(len(what))+"_status", answer.StatusCode)
}

func main() {
	// every allocation is a sample, so that figures are exact
	runtime.MemProfileRate = 1
	switch os.Args[1] {
	case "everything":
		everything()
	case "age":
		age()
	case "spans":
		spans()
	case "window":
		window()
	}
}
