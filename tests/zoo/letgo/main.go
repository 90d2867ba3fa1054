// Command letgo holds objects in several ways. Every time it gets SIGUSR1 it lets go of some, in the order of steps
// below, collects, and writes how many bytes and objects that gave back, by runtime.MemStats, to a file with the
// number of the step below the directory that its argument names. What came back is what a reader of its
// memory should have said beforehand.
//
//	Pages N    pages that nothing but main.cache keeps
package main

import (
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
)

type page struct {
	body []byte
	next *page
}

type store struct {
	byName map[string]*page
	first  *page
}

type shelf struct {
	pages []*page
	index map[string]*page
	last  any
}

var (
	cache   *store           // what goes
	recent  map[int]*page    // keeps every tenth page
	older   []*page          // shares more with recent than each has alone
	state   *shelf           // loses parts
	never   = make(chan int) // keeps a worker with a page
	enough  = make(chan int) // ends another worker
	letGo   = make(chan os.Signal, 1)
	running = make(chan struct{})
	stats   runtime.MemStats
)

var steps = []func(){
	func() { cache = nil },
	func() { state.index = nil },
	func() { state.pages[3] = nil },
	func() {
		for _, p := range state.pages {
			if p != nil {
				p.body = nil
			}
		}
	},
	func() { state.last = nil },
	func() { recent, older = nil, nil },
	func() { close(enough); <-running },
}

func build() {
	cache = &store{byName: map[string]*page{}}
	recent = map[int]*page{}
	for i := 0; i < 1000; i++ {
		p := &page{body: make([]byte, 1024)}
		cache.byName["page-"+strconv.Itoa(i)] = p
		if i%10 == 0 {
			recent[i] = p
			older = append(older, p, &page{})
		}
		if i == 555 {
			go worker(p, never)
			<-running
		}
	}
	for i := 0; i < 500; i++ {
		cache.first = &page{body: make([]byte, 64), next: cache.first}
	}
	state = &shelf{index: map[string]*page{}, last: &page{body: make([]byte, 4096)}}
	for i := 0; i < 50; i++ {
		state.pages = append(state.pages, &page{body: make([]byte, 512), next: &page{}})
		state.index["index-"+strconv.Itoa(i)] = &page{body: make([]byte, 256)}
	}
	go worker(&page{body: make([]byte, 20480), next: &page{}}, enough)
	<-running
}

//go:noinline
func worker(p *page, until chan int) {
	running <- struct{}{}
	n := <-until
	p.body[0] = byte(n)
	runtime.KeepAlive(p)
	running <- struct{}{}
}

func heap() (bytes, objects uint64) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc, stats.HeapObjects
}

func main() {
	signal.Notify(letGo, syscall.SIGUSR1)
	build()
	heap()
	println("Pages", 1000-100-1+500)
	println("READY")
	for number, step := range steps {
		<-letGo
		bytes, objects := heap()
		step()
		bytesLeft, objectsLeft := heap()
		name := os.Args[1] + "/" + strconv.Itoa(number)
		text := strconv.FormatUint(bytes-bytesLeft, 10) + " " + strconv.FormatUint(objects-objectsLeft, 10)
		if err := os.WriteFile(name+".new", []byte(text), 0o600); err != nil {
			panic(err)
		}
		if err := os.Rename(name+".new", name); err != nil {
			panic(err)
		}
	}
	<-never
	recent[0] = nil
}
