// Experiment of goroutine-blocked-forever: goroutines that wait for what nobody can do any more.
//
//	leak   requests give up after a timeout, and their workers can never send; subscribers wait for events of
//	       a feed that was dropped without being closed; a lock is never given back; a nil channel
//	fixed  results have room in the channel, the feed is closed, the lock is unlocked, the channel is made
//
// Both modes keep healthy neighbours: workers that wait for jobs in a global channel, one behind a timer, one that
// only a sleeping goroutine will wake.
package main

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	requests    = 200
	subscribers = 50
	writers     = 10
	unset       = 3
)

var (
	jobs  = make(chan int)
	total int
	done  sync.WaitGroup
)

// fetch answers when the caller has long gone.
//
//go:noinline
func fetch(result chan []byte) {
	body := make([]byte, 16<<10)
	done.Done()
	time.Sleep(10 * time.Millisecond)
	result <- body
	total += int(body[0])
}

func request(room int) {
	result := make(chan []byte, room)
	done.Add(1)
	go fetch(result)
	select {
	case body := <-result:
		total += len(body)
	case <-time.After(10 * time.Microsecond):
	}
}

type feed struct {
	events chan *[512]byte
	counts []int
}

//go:noinline
func (f *feed) follow() {
	counts := make([]int, 1024)
	done.Done()
	for event := range f.events {
		counts[event[0]]++
	}
	f.counts = counts
}

func subscribe() *feed {
	f := &feed{events: make(chan *[512]byte, 8)}
	for i := 0; i < subscribers; i++ {
		done.Add(1)
		go f.follow()
	}
	return f
}

type ledger struct {
	sync.Mutex
	entries [1000]int
}

//go:noinline
func (l *ledger) write() {
	done.Done()
	l.Lock()
	l.entries[0]++
	l.Unlock()
}

//go:noinline
func wait(c chan int) {
	done.Done()
	total += <-c
}

func begin(f func()) {
	done.Add(1)
	go f()
}

func neighbours() {
	for i := 0; i < 4; i++ {
		begin(func() { wait(jobs) })
	}
	later := make(chan int)
	begin(func() { wait(later) })
	begin(func() {
		done.Done()
		time.Sleep(time.Hour)
		later <- 1
	})
	begin(func() {
		done.Done()
		<-time.After(time.Hour)
	})
}

func main() {
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	room := 0
	if fixed {
		room = 1
	}
	for i := 0; i < requests; i++ {
		request(room)
	}
	f, l := subscribe(), &ledger{}
	l.Lock()
	for i := 0; i < writers; i++ {
		begin(l.write)
	}
	var ready chan int
	if fixed {
		close(f.events)
		l.Unlock()
		ready = make(chan int)
		close(ready)
	}
	for i := 0; i < unset; i++ {
		begin(func() { wait(ready) })
	}
	neighbours()
	done.Wait()
	rest()
}

func rest() {
	time.Sleep(200 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	os.Stdout.WriteString("READY\n")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}
