// Command loaded is a busy HTTP server in which threads start and end all the time, and the load for it.
//
//	loaded serve          serves on a port of the loopback that it prints
//	loaded load PORT N    keeps N connections busy until it gets SIGTERM, 15 minutes at most; then it prints how that went
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type record struct {
	ID   int
	Name string
	Next *record
	Tags []string
}

var (
	mu      sync.RWMutex
	records = map[int]*record{}
	threads atomic.Int64
)

const kept = 50_000

func handle(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.Atoi(r.URL.Query().Get("id"))
	if id%16 == 0 {
		body := &record{ID: id, Name: "record " + strconv.Itoa(id), Tags: []string{"new"}}
		mu.Lock()
		body.Next = records[(id+1)%kept]
		if body.Next != nil {
			body.Next = &record{ID: body.Next.ID}
		}
		records[id%kept] = body
		mu.Unlock()
	}
	mu.RLock()
	found := records[id%kept]
	mu.RUnlock()
	if err := json.NewEncoder(w).Encode(found); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// A goroutine that ends while locked to its thread takes the thread with it.
func startAndEndThreads() {
	for {
		go func() {
			runtime.LockOSThread()
			threads.Add(1)
			wait := syscall.Timespec{Nsec: 2e6}
			_ = syscall.Nanosleep(&wait, nil)
		}()
		time.Sleep(2 * time.Millisecond)
	}
}

func serve() {
	time.AfterFunc(limit, func() { panic("nobody ended this") })
	for i := 0; i < kept; i++ {
		records[i] = &record{ID: i, Name: "record " + strconv.Itoa(i), Tags: []string{"a", "b"}}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	for i := 0; i < 3; i++ {
		go startAndEndThreads()
	}
	http.HandleFunc("/", handle)
	http.HandleFunc("/threads", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, threads.Load()) })
	println("Port", listener.Addr().(*net.TCPAddr).Port)
	println("READY")
	panic(http.Serve(listener, nil))
}

type score struct {
	done, failed atomic.Int64
	longest      atomic.Int64
	why          atomic.Value
}

func (s *score) request(client *http.Client, url string) {
	began := time.Now()
	response, err := client.Get(url)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("status %d", response.StatusCode)
		}
	}
	if err != nil {
		s.failed.Add(1)
		s.why.Store(err.Error())
	}
	s.done.Add(1)
	if took := int64(time.Since(began)); took > s.longest.Load() {
		s.longest.Store(took)
	}
}

// limit ends a server or a load that nobody ends.
const limit = 15 * time.Minute

func load(port string, connections int) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	var total score
	for i := 0; i < connections; i++ {
		go func(i int) {
			transport := &http.Transport{DisableCompression: true}
			client := &http.Client{Transport: transport, Timeout: 2 * time.Second}
			for n := i; ; n += connections {
				total.request(client, "http://127.0.0.1:"+port+"/?id="+strconv.Itoa(n))
				if n%(connections*500) == i {
					transport.CloseIdleConnections() // a new connection now and then
				}
			}
		}(i)
	}
	println("READY")
	select {
	case <-ended:
	case <-time.After(limit): // whoever started it is gone
	}
	why, _ := total.why.Load().(string)
	fmt.Println(total.done.Load(), total.failed.Load(), total.longest.Load(), why)
}

func main() {
	if os.Args[1] == "serve" {
		serve()
	}
	connections, err := strconv.Atoi(os.Args[3])
	if err != nil {
		panic(err)
	}
	load(os.Args[2], connections)
}
