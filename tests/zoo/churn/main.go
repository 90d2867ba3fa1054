// Command churn allocates and drops structures of many kinds as fast as two goroutines can, with the collector
// running most of the time. It is READY when several collections have passed, and goes on until it is ended.
// With the argument stop it is READY when it has stopped after that, and collected everything that it dropped.
package main

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type payload struct {
	data []byte
	next *payload
}

type event struct {
	id      int64
	name    string
	payload *payload
	tags    []string
}

type record struct {
	pad    [80]int64
	events []*event
	ref    *payload
}

// A permanent value is never dropped: however a capture falls, all of them must be found.
type permanent struct {
	name string
	held *event
}

// An owned value is held by the frame of a goroutine that never stops, and by nothing else.
type owned struct {
	held *payload
	uses int
}

var (
	kept    map[string]*permanent
	windows [2][64][]*event
	records [2][16]*record
	tables  [2][8]map[string]*event
	calls   [2][32]func() int
	queues  [2]chan *event
	finals  [2]*payload

	stopping atomic.Bool
	started  sync.WaitGroup
	stopped  sync.WaitGroup
	never    = make(chan struct{})
)

func newEvent(n int) *event {
	name := strconv.Itoa(n)
	return &event{id: int64(n), name: name, payload: &payload{data: make([]byte, n%700)}, tags: []string{name}}
}

//go:noinline
func newOwned() *owned { return &owned{held: &payload{data: make([]byte, 100)}} }

func churn(w int) {
	queues[w] = make(chan *event, 32)
	mine := newOwned()
	println("Owned", mine)
	println("Owned", mine.held)
	println("Owned", &mine.held.data[0])
	started.Done()
	for n := 0; !stopping.Load(); n++ {
		batch := make([]*event, 0, 10)
		for i := 0; i < 100; i++ {
			batch = append(batch, newEvent(n+i))
		}
		windows[w][n%64] = batch
		records[w][n%16] = &record{events: batch[:50], ref: batch[0].payload}
		table := map[string]*event{}
		for _, e := range batch {
			table[e.name] = e
		}
		tables[w][n%8] = table
		calls[w][n%32] = func() int { return len(batch) + n }
		select {
		case queues[w] <- batch[3]:
		default:
			<-queues[w]
		}
		if n%50 == 0 {
			finals[w] = &payload{next: batch[1].payload}
			runtime.SetFinalizer(finals[w], func(p *payload) { p.data = nil })
		}
		deep(n%200, batch[0])
		mine.uses += len(mine.held.data)
	}
	stopped.Done()
	<-never
	mine.uses += len(mine.held.data)
}

// deep makes stacks grow and be copied while events are on them.
//
//go:noinline
func deep(n int, e *event) int64 {
	var local [8]*event
	local[n%8] = e
	if n == 0 {
		return e.id
	}
	return deep(n-1, local[n%8])
}

// keep builds what main.kept holds, and says of how many objects at least: each permanent, event, payload and
// list of tags, and payloads' data. (Less than 16 bytes without pointers share a slot: they are not counted.)
//
//go:noinline
func keep() {
	objects := 0
	kept = map[string]*permanent{}
	for i := 0; i < 20000; i++ {
		p := &permanent{name: strconv.Itoa(i), held: newEvent(i)}
		kept[p.name] = p
		objects += 4
		if len(p.held.payload.data) >= 16 {
			objects++
		}
	}
	println("Kept", objects)
}

// stop ends the churn and collects until the finalizers of all that was dropped have run.
func stop() {
	stopping.Store(true)
	stopped.Wait()
	for n := 0; n < 5; n++ {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
	runtime.GC()
}

func main() {
	keep()
	runtime.GC() // what is allocated from now on shares no slot with what is kept
	started.Add(2)
	stopped.Add(2)
	go churn(0)
	go churn(1)
	started.Wait()
	var stats runtime.MemStats
	for stats.NumGC < 5 {
		time.Sleep(20 * time.Millisecond)
		runtime.ReadMemStats(&stats)
	}
	if len(os.Args) > 1 && os.Args[1] == "stop" {
		stop()
	}
	println("Permanent", len(kept))
	println("READY")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}
