package main

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

var (
	lockedMutex sync.Mutex
	lockedRW    sync.RWMutex
	waitGroup   sync.WaitGroup
	condition   = sync.NewCond(&sync.Mutex{})
	forever     chan int
	never       = make(chan struct{})
	spins       uint64
)

// Each function below blocks in a way of its own and holds something only its frame knows.

//go:noinline
func blockReceive(c chan *event, kept *event, buffer []byte) int {
	got := <-c
	return len(buffer) + int(got.id+kept.id)
}

//go:noinline
func blockSend(c chan []byte, buffer []byte) int {
	c <- buffer
	return len(buffer)
}

//go:noinline
func blockSelect(a chan int, b chan string, kept *node) int {
	select {
	case n := <-a:
		return n + kept.value
	case s := <-b:
		return len(s) + kept.value
	}
}

//go:noinline
func blockMutex(m *sync.Mutex, kept *event) int64 {
	m.Lock()
	return kept.id
}

//go:noinline
func blockRead(m *sync.RWMutex, kept *event) int64 {
	m.RLock()
	return kept.id
}

//go:noinline
func blockWaitGroup(w *sync.WaitGroup, kept *event) int64 {
	w.Wait()
	return kept.id
}

//go:noinline
func blockCondition(c *sync.Cond, kept *event) int64 {
	c.L.Lock()
	c.Wait()
	return kept.id
}

//go:noinline
func blockSleep(kept *event) int64 {
	time.Sleep(time.Hour)
	return kept.id
}

//go:noinline
func blockNetpoll(f *os.File, kept *event) int64 {
	buffer := make([]byte, 100)
	n, _ := f.Read(buffer)
	return kept.id + int64(n)
}

//go:noinline
func blockSyscall(fd int, kept *event) int64 {
	runtime.LockOSThread()
	buffer := make([]byte, 100)
	n, _ := syscall.Read(fd, buffer)
	return kept.id + int64(n)
}

//go:noinline
func blockNil(kept *event) int64 {
	<-forever
	return kept.id
}

//go:noinline
func blockDeferred(kept *event) (id int64) {
	defer func() { id = kept.id }()
	for i := 0; i < 3; i++ { // defers in a loop are records on the heap
		extra := newEvent(i)
		defer func() { id += extra.id }()
	}
	<-never
	return 0
}

//go:noinline
func blockPanicking(kept *event) {
	defer func() {
		defer func() { _ = recover() }()
		<-never
		println(kept.id)
	}()
	panic(newEvent(5))
}

//go:noinline
func blockDeep(depth int, kept *event) int64 {
	var local [64]*event // a stack object: its address is taken
	fill(&local, kept)
	if depth == 0 {
		<-never
		return local[3].id
	}
	return blockDeep(depth-1, local[1]) + local[2].id
}

//go:noinline
func fill(local *[64]*event, kept *event) {
	for i := range local {
		local[i] = kept
	}
}

//go:noinline
func blockManyArguments(a, b, c, d, e, f, g, h, i, j, k, l *event) int64 {
	<-never
	return a.id + b.id + c.id + d.id + e.id + f.id + g.id + h.id + i.id + j.id + k.id + l.id
}

//go:noinline
func worker(in chan *event) {
	seen := map[string]int{}
	for e := range in {
		seen[e.name]++
	}
}

//go:noinline
func spin() {
	kept := newEvent(1)
	for {
		kept.id++
		spins++
	}
}

func startGoroutines() {
	lockedMutex.Lock()
	lockedRW.Lock()
	waitGroup.Add(1)
	for i := 0; i < 4; i++ {
		go blockReceive(make(chan *event), newEvent(i), make([]byte, 3000))
		go blockSend(make(chan []byte), make([]byte, 2000))
		go blockSelect(make(chan int), make(chan string), &node{value: i})
		go blockMutex(&lockedMutex, newEvent(i))
		go blockRead(&lockedRW, newEvent(i))
		go blockWaitGroup(&waitGroup, newEvent(i))
		go blockCondition(condition, newEvent(i))
		go blockSleep(newEvent(i))
		go blockNil(newEvent(i))
		go blockDeferred(newEvent(i))
		go blockPanicking(newEvent(i))
		go blockDeep(40, newEvent(i))
		go worker(chanEmpty)
		go func() { <-never; println(linked.value) }()
		e := newEvent
		go blockManyArguments(e(0), e(1), e(2), e(3), e(4), e(5), e(6), e(7), e(8), e(9), e(10), e(11))
	}
	startReaders()
	time.Sleep(50 * time.Millisecond)
}

// startReaders blocks one goroutine in the network poller and one in a system call.
func startReaders() {
	reader, writer, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	pipes = append(pipes, reader, writer)
	go blockNetpoll(reader, newEvent(1))
	var raw [2]int
	if err := syscall.Pipe(raw[:]); err != nil {
		panic(err)
	}
	go blockSyscall(raw[0], newEvent(2))
}

// stuckFinalizers leaves a queue of finalizers behind one that does not return.
func stuckFinalizers() {
	for i := 0; i < 20; i++ {
		runtime.SetFinalizer(&resource{fd: i, held: newPayload(i)}, func(r *resource) { <-never; r.fd = -1 })
	}
	runtime.GC()
	time.Sleep(50 * time.Millisecond)
}
