// Command letgo holds objects in several ways, and lets go of main.cache when it gets SIGUSR1: then it
// collects, and makes the directory that its argument names. What the collections gave back is what a
// reader of its memory should have said beforehand.
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

var (
	cache   *store           // what goes
	recent  map[int]*page    // keeps every tenth page
	never   = make(chan int) // keeps a worker with a page
	letGo   = make(chan os.Signal, 1)
	done    string
	running = make(chan struct{})
)

func build() {
	cache = &store{byName: map[string]*page{}}
	recent = map[int]*page{}
	for i := 0; i < 1000; i++ {
		p := &page{body: make([]byte, 1024)}
		cache.byName["page-"+strconv.Itoa(i)] = p
		if i%10 == 0 {
			recent[i] = p
		}
		if i == 555 {
			go worker(p)
			<-running
		}
	}
	for i := 0; i < 500; i++ {
		cache.first = &page{body: make([]byte, 64), next: cache.first}
	}
}

//go:noinline
func worker(p *page) {
	running <- struct{}{}
	n := <-never
	p.body[0] = byte(n)
	runtime.KeepAlive(p)
}

func main() {
	done = os.Args[1]
	signal.Notify(letGo, syscall.SIGUSR1)
	build()
	runtime.GC()
	runtime.GC()
	println("Pages", 1000-100-1+500)
	println("READY")
	<-letGo
	cache = nil
	runtime.GC()
	runtime.GC()
	if err := syscall.Mkdir(done, 0o700); err != nil {
		panic(err)
	}
	<-never
	recent[0] = nil
}
