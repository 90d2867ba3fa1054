// Command traced writes an execution trace of itself that has all that goretain trace tells of: goroutines that
// come and go, and some that stay where nothing will wake them, collections, mark assists, annotations, CPU
// samples and, from Go 1.23 on, coroutines.
//
// Arguments: the trace, the CPU profile that makes samples (nobody reads it), and how often the load is repeated.
package main

import (
	"context"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"sync"
	"time"
)

type node struct {
	next  *node
	bytes [1024]byte
}

const leaked = 7

var (
	kept   *node
	wanted = make(chan int)
	mutex  sync.Mutex
)

// leak starts a goroutine that waits for what nobody sends.
func leak() {
	go func() { <-wanted }()
}

// allocate keeps the collector busy enough to ask for assists.
func allocate(count int) {
	var list *node
	for i := 0; i < count; i++ {
		list = &node{next: list}
	}
	mutex.Lock()
	kept = list
	mutex.Unlock()
}

func work(ctx context.Context, round int) {
	ctx, task := trace.NewTask(ctx, "round")
	defer task.End()
	trace.Log(ctx, "number", strconv.Itoa(round))
	var all sync.WaitGroup
	for i := 0; i < 8; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			trace.WithRegion(ctx, "allocate", func() { allocate(2000) })
		}()
	}
	all.Wait()
	coroutines()
	from, to, _ := os.Pipe()
	go func() { to.Write([]byte("x")); to.Close() }()
	io.ReadAll(from)
	from.Close()
}

func main() {
	early := make(chan int)
	go func() { <-early }() // waits since before the trace
	time.Sleep(10 * time.Millisecond)
	file, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	profile, err := os.Create(os.Args[2])
	if err != nil {
		panic(err)
	}
	rounds, _ := strconv.Atoi(os.Args[3])
	pprof.StartCPUProfile(profile)
	trace.Start(file)
	for i := 0; i < leaked; i++ {
		leak()
	}
	for i := 0; i < rounds; i++ {
		work(context.Background(), i)
	}
	runtime.GC()
	trace.Stop()
	pprof.StopCPUProfile()
	file.Close()
	println("leaked", leaked)
	println("rounds", rounds)
	println("READY")
	runtime.KeepAlive(early)
}
