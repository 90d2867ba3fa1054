// Paced is a service whose memory takes its course by request: /tick lets one moment pass. session leaks,
// entry fills a cache of 40, batch piles up and is flushed, request is let go at once; setting waits for the
// 15th moment and then takes much at once; with -stuck three goroutines
// get stuck in each. With -limit and -percent it sets its own garbage collector. It prints the address that it serves net/http/pprof on.
package main

import (
	"flag"
	"fmt"
	"math"
	"net"
	"net/http"
	_ "net/http/pprof"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

const perTick = 100

var (
	port   = flag.Int("port", 0, "to serve on; 0: any")
	sticks = flag.Bool("stuck", false, "let goroutines get stuck")

	limit   = flag.Int64("limit", math.MaxInt64, "memory limit, bytes")
	percent = flag.Int("percent", 0, "of garbage before a collection; 0: leave it")

	mutex    sync.Mutex
	tick     int
	sessions [][]byte
	entries  [][]byte
	batches  [][]byte
	settings [][]byte
	sink     []byte
)

//go:noinline
func session() []byte { return make([]byte, 1024) }

//go:noinline
func entry() []byte { return make([]byte, 1024) }

//go:noinline
func batch() []byte { return make([]byte, 1024) }

//go:noinline
func setting() []byte { return make([]byte, 1024) }

//go:noinline
func request() []byte { return make([]byte, 1024) }

func stuck() { <-make(chan bool) }

func moment() {
	mutex.Lock()
	defer mutex.Unlock()
	tick++
	if tick%7 == 0 {
		batches = nil
	}
	for i := 0; i < perTick; i++ {
		sessions = append(sessions, session())
		if len(entries) < 5*perTick {
			entries = append(entries, entry())
		}
		batches = append(batches, batch())
		sink = request()
	}
	for i := 0; *sticks && i < 3; i++ {
		go stuck()
	}
	for i := 0; tick == 15 && i < 20*perTick; i++ {
		settings = append(settings, setting())
	}
}

func main() {
	runtime.MemProfileRate = 1 // which objects are sampled is no chance then, nor is a verdict
	http.HandleFunc("/tick", func(http.ResponseWriter, *http.Request) { moment() })
	flag.Parse()
	debug.SetMemoryLimit(min(*limit, debug.SetMemoryLimit(-1)))
	if *percent != 0 {
		debug.SetGCPercent(*percent)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, nil)
	println("url", fmt.Sprintf("http://%s", listener.Addr()))
	println("READY")
	time.Sleep(time.Hour)
}
