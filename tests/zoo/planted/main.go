// Command planted holds memory in ways that are known to the byte. Each holder is built alone between two
// collections, so that the runtime itself says what it retains:
//
//	Retained HOLDER BYTES OBJECTS    what the holder dominates
//	Hidden PATTERN HOLDER COUNT BYTES    bytes that are pinned and not shown, by construction
//	Shared BYTES OBJECTS    what main.left and main.right both reach
//
// Arguments add references that must not change the answer: janitor (a goroutine parked in a method of the
// cache), handler (a frame that visits it), second (a global of the standard library that reaches it).
package main

import (
	"log"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type entry struct {
	body []byte
	hits int64
}

type cache struct {
	entries map[string]*entry
	stop    chan struct{}
}

type session struct{ started, seen, bytes int64 }

type link struct {
	next *link
	pad  [30]int64
}

type index struct{ names []string }

const (
	bodies     = 60
	bodySize   = 64 << 10
	bodyShown  = 5
	texts      = 50
	textSize   = 32 << 10
	textShown  = 12
	sessions   = 60000
	sessionEnd = 100
	links      = 2000
	frameBytes = 768 << 10
)

var (
	pages   *cache              // subslice-pins-array
	labels  *index              // substring-pins-string
	clients map[int64]session   // map-never-shrinks
	chain   *link               // plain retention, nothing to find
	left    *[]*[4096]byte      // shares its elements with right
	right   map[int]*[4096]byte // shares its elements with left
	sink    int
	stats   runtime.MemStats
	never   = make(chan struct{})
)

//go:noinline
func read(name string) []byte {
	whole := make([]byte, bodySize)
	copy(whole[1000:], name)
	return whole[1000 : 1000+bodyShown]
}

func plantPages() {
	pages = &cache{entries: map[string]*entry{}, stop: make(chan struct{})}
	for i := 0; i < bodies; i++ {
		pages.entries["page-"+strconv.Itoa(i)] = &entry{body: read("hello")}
	}
}

func plantLabels() {
	labels = &index{}
	for i := 0; i < texts; i++ {
		text := strings.Repeat("abcdefgh", textSize/8)
		labels.names = append(labels.names, text[100:100+textShown])
	}
}

func plantClients() {
	clients = map[int64]session{}
	for i := int64(0); i < sessions; i++ {
		clients[i] = session{started: i}
	}
	for i := int64(sessionEnd); i < sessions; i++ {
		delete(clients, i)
	}
}

func plantChain() {
	for i := 0; i < links; i++ {
		chain = &link{next: chain}
	}
}

func plantShared() {
	list := make([]*[4096]byte, 256)
	left, right = &list, map[int]*[4096]byte{}
	for i := range list {
		list[i] = new([4096]byte)
		right[i] = list[i]
	}
}

//go:noinline
func waiter() int {
	buffer := make([]byte, frameBytes)
	<-never
	return int(buffer[len(buffer)/2])
}

//go:noinline
func (c *cache) janitor() {
	for range c.stop {
		c.entries = nil
	}
}

//go:noinline
func handle(entries map[string]*entry, visited *entry) {
	<-never
	sink += len(entries) + len(visited.body)
}

// Write makes the cache something that the standard library can hold.
func (c *cache) Write(p []byte) (int, error) { return len(p) + len(c.entries), nil }

// plant builds one holder and prints what the heap grew by.
func plant(holder string, build func()) {
	bytes, objects := heap()
	build()
	after, count := heap()
	println("Retained", holder, after-bytes, count-objects)
}

func heap() (bytes, objects uint64) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc, stats.HeapObjects
}

// settle collects until the runtime has allocated all that it needs for that itself (threads, their goroutines).
func settle() {
	for same, last := 0, uint64(0); same < 20; same++ {
		bytes, _ := heap()
		if bytes != last {
			same, last = 0, bytes
		}
		time.Sleep(time.Millisecond)
	}
}

func main() {
	settle()
	plant("main.pages", plantPages)
	println("Hidden", "subslice-pins-array", "main.pages", bodies, bodies*(bodySize-bodyShown))
	plant("main.labels", plantLabels)
	println("Hidden", "substring-pins-string", "main.labels", texts, texts*(textSize-textShown))
	plant("main.clients", plantClients)
	println("Entries", "main.clients", len(clients))
	plant("main.chain", plantChain)
	plantShared()
	println("Shared", 256*4096, 256)
	for _, argument := range os.Args[1:] {
		switch argument {
		case "janitor":
			go pages.janitor()
		case "handler":
			go handle(pages.entries, pages.entries["page-7"])
		case "second":
			log.SetOutput(pages)
		}
	}
	go waiter()
	println("FrameBytes", frameBytes)
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	println("READY")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}
