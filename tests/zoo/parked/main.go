// Goroutines that wait: seventy that nothing can wake any more, and as many of every kind that something still can.
//
// Prints, for each function that goroutines run, "PLANTED name count" or "ALIVE name count".
package main

import (
	"context"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const each = 5

var (
	started sync.WaitGroup
	sink    int
	kept    []byte
)

// start runs f in n goroutines and says so; each has begun when start returns.
func start(fact, name string, n int, f func()) {
	println(fact, name, n)
	for i := 0; i < n; i++ {
		started.Add(1)
		go f()
	}
}

func main() {
	plant()
	keep()
	started.Wait()
	for parked() < 14*each+liveGoroutines {
		time.Sleep(time.Millisecond)
	}
	runtime.GC()
	runtime.GC()
	println("READY")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}

// parked counts goroutines that wait in a function of this program that says so by its name.
func parked() int {
	buffer := make([]byte, 1<<20)
	count := 0
	for _, stack := range strings.Split(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		head, rest, _ := strings.Cut(stack, "\n")
		ours := strings.Contains(rest, "main.leak") || strings.Contains(rest, "main.live")
		if ours && !strings.Contains(head, "[run") {
			count++
		}
	}
	return count
}

func plant() {
	start("PLANTED", "main.leakReceive", each, func() { leakReceive(make(chan int), make([]byte, 4096)) })
	start("PLANTED", "main.leakSend", each, func() { leakSend(make(chan []byte), make([]byte, 8192)) })
	start("PLANTED", "main.leakRange", each, func() { leakRange(make(chan *int, 4)) })
	start("PLANTED", "main.leakSelect", each, func() { leakSelect(make(chan int), make(chan string)) })
	start("PLANTED", "main.leakNilReceive", each, func() { leakNilReceive(nil) })
	start("PLANTED", "main.leakNilSend", each, func() { leakNilSend(nil) })
	start("PLANTED", "main.leakNilSelect", each, func() { leakNilSelect(nil, nil) })
	start("PLANTED", "main.leakPartSelect", each, func() { leakPartSelect(make(chan int), nil) })
	start("PLANTED", "main.leakNoCases", each, leakNoCases)
	start("PLANTED", "main.leakMutex", each, func() { leakMutex(&account{}) })
	start("PLANTED", "main.leakReader", each, func() { leakReader(&sync.RWMutex{}) })
	start("PLANTED", "main.leakWriter", each, func() { leakWriter(&sync.RWMutex{}) })
	start("PLANTED", "main.leakWaitGroup", each, func() { leakWaitGroup(&batch{}) })
	// Five on one condition: each but the first stands behind another in its queue.
	condition := sync.NewCond(&sync.Mutex{})
	start("PLANTED", "main.leakCond", each, func() { leakCond(condition) })
}

//go:noinline
func leakReceive(c chan int, held []byte) {
	started.Done()
	sink += <-c
	kept = held
}

//go:noinline
func leakSend(c chan []byte, held []byte) {
	started.Done()
	c <- held
}

//go:noinline
func leakRange(c chan *int) {
	started.Done()
	for range c {
		sink++
	}
}

//go:noinline
func leakSelect(a chan int, b chan string) {
	started.Done()
	select {
	case <-a:
	case b <- "":
	}
}

//go:noinline
func leakNilReceive(c chan int) {
	started.Done()
	<-c
}

//go:noinline
func leakNilSend(c chan int) {
	started.Done()
	c <- 1
}

//go:noinline
func leakNilSelect(in, out chan int) {
	started.Done()
	select {
	case v := <-in:
		sink += v
	case out <- 1:
	}
}

// One of two channels is nil.
//
//go:noinline
func leakPartSelect(in, out chan int) {
	started.Done()
	select {
	case v := <-in:
		sink += v
	case out <- 1:
	}
}

//go:noinline
func leakNoCases() {
	started.Done()
	select {}
}

// A lock in a struct: one by itself shares its 16 bytes with other small values, dead or alive.
type account struct {
	sync.Mutex
	balance [3]int
}

//go:noinline
func leakMutex(a *account) {
	a.Lock()
	started.Done()
	a.Lock()
}

//go:noinline
func leakReader(m *sync.RWMutex) {
	m.Lock()
	started.Done()
	m.RLock()
}

//go:noinline
func leakWriter(m *sync.RWMutex) {
	m.RLock()
	started.Done()
	m.Lock()
}

type batch struct {
	sync.WaitGroup
	results []int
}

//go:noinline
func leakWaitGroup(w *batch) {
	w.Add(1)
	started.Done()
	w.Wait()
}

//go:noinline
func leakCond(c *sync.Cond) {
	c.L.Lock()
	started.Done()
	c.Wait()
	c.L.Unlock()
}

// What still can be woken. liveGoroutines is how many keep starts.
const liveGoroutines = 22

var (
	jobs      = make(chan int)
	lock      sync.Mutex
	guarded   struct{ sync.RWMutex }
	group     sync.WaitGroup
	condition = sync.NewCond(&sync.Mutex{})
	registry  = map[string]chan int{}
	shutdown  = make(chan os.Signal, 1)
)

func keep() {
	lock.Lock()
	guarded.Lock()
	group.Add(1)
	one := make(chan int)
	registry["one"] = one
	signal.Notify(shutdown, syscall.SIGUSR2)
	// Held by nothing but a goroutine that sleeps, waits for the network, or is itself to be woken.
	slept, chained, timed, called := make(chan int), make(chan int), make(chan int), make(chan int)
	inner := &sync.WaitGroup{}
	inner.Add(1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	deadline, cancel := context.WithTimeout(context.Background(), time.Hour)
	time.AfterFunc(time.Hour, func() { cancel(); called <- 1 })

	start("ALIVE", "main.liveWorker", 4, func() { liveReceive(jobs) })
	start("ALIVE", "main.liveRegistered", 1, func() { liveReceive(one) })
	start("ALIVE", "main.liveMutex", 2, liveMutex)
	start("ALIVE", "main.liveReader", 1, liveReader)
	start("ALIVE", "main.liveGroup", 1, liveGroup)
	start("ALIVE", "main.liveCond", 2, liveCond)
	start("ALIVE", "main.liveSleeper", 1, func() { liveSleeper(slept) })
	start("ALIVE", "main.liveSlept", 1, func() { liveForward(slept, chained) })
	start("ALIVE", "main.liveChained", 1, func() { liveForward(chained, nil) })
	start("ALIVE", "main.liveAccept", 1, func() { liveAccept(listener, inner) })
	start("ALIVE", "main.liveInner", 1, func() { liveInner(inner) })
	start("ALIVE", "main.liveTimer", 1, func() { liveTimer(timed) })
	start("ALIVE", "main.liveTicker", 1, liveTicker)
	start("ALIVE", "main.liveContext", 1, func() { liveContext(deadline) })
	start("ALIVE", "main.liveCalled", 1, func() { liveReceive(called) })
	start("ALIVE", "main.liveSignal", 1, liveSignal)
	start("ALIVE", "main.liveNested", 1, func() { liveNested(make(chan int)) })
}

//go:noinline
func liveReceive(c chan int) {
	started.Done()
	sink += <-c
}

//go:noinline
func liveForward(from, to chan int) {
	started.Done()
	v := <-from
	to <- v
}

//go:noinline
func liveMutex() {
	started.Done()
	lock.Lock()
}

//go:noinline
func liveReader() {
	started.Done()
	guarded.RLock()
}

//go:noinline
func liveGroup() {
	started.Done()
	group.Wait()
}

//go:noinline
func liveCond() {
	condition.L.Lock()
	started.Done()
	condition.Wait()
}

//go:noinline
func liveSleeper(c chan int) {
	started.Done()
	time.Sleep(time.Hour)
	c <- 1
}

//go:noinline
func liveAccept(l net.Listener, w *sync.WaitGroup) {
	started.Done()
	l.Accept()
	w.Done()
}

//go:noinline
func liveInner(w *sync.WaitGroup) {
	started.Done()
	w.Wait()
}

//go:noinline
func liveTimer(c chan int) {
	started.Done()
	select {
	case <-c:
	case <-time.After(time.Hour):
	}
}

//go:noinline
func liveTicker() {
	ticker := time.NewTicker(time.Hour)
	started.Done()
	for range ticker.C {
		sink++
	}
}

//go:noinline
func liveContext(c context.Context) {
	started.Done()
	<-c.Done()
}

//go:noinline
func liveSignal() {
	started.Done()
	<-shutdown
}

// The one that waits is woken by one that it started itself and that sleeps: two goroutines.
//
//go:noinline
func liveNested(c chan int) {
	started.Add(1)
	go liveSleeper(c)
	started.Done()
	sink += <-c
}
