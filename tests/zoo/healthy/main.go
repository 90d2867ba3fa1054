// Command healthy keeps much memory in ways that are right: whole slices and strings, buffers with ordinary room
// to grow, a free list of empty buffers, tokens that together show all of the text they were cut from, maps of
// the size they need, a bounded cache, idle workers. A tool that finds a leak here is wrong.
//
//	healthy             receive buffers, a map that is filling and one for batches, too small to speak of
//	healthy doubtful    the same, large: what one look cannot tell from a leak, and must not call proved
package main

import (
	"bufio"
	"bytes"
	"container/list"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

type document struct {
	id    int
	title string
	body  []byte
	words []string
}

// lru is a cache with a bound.
type lru struct {
	mu    sync.Mutex
	order *list.List
	index map[int]*list.Element
}

// ring is a queue whose slots are cleared when they are taken.
type ring struct {
	slots []*document
	head  int
}

// arena hands out consecutive parts of big chunks: every byte of a chunk is shown by some part.
type arena struct{ parts [][]byte }

var (
	documents = map[int]*document{}
	byTitle   = map[string]*document{}
	recent    = &lru{order: list.New(), index: map[int]*list.Element{}}
	queue     = &ring{slots: make([]*document, 1024)}
	free      [][]byte
	growing   [][]int64
	buffers   []*bytes.Buffer
	readers   []*bufio.Reader
	tokens    []string
	parts     arena
	rows      [][]float64
	counters  = map[string]int64{}
	pool      = sync.Pool{New: func() any { return make([]byte, 0, 16<<10) }}
	jobs      = make(chan *document, 16)
	received  = map[int][]byte{} // receive buffers by connection, made once with room, in use
	filling   map[uint32]uint32  // made for what will come
	batch     = map[int]int{}    // cleared and filled again for each batch
)

func newDocument(i int) *document {
	title := "document number " + strconv.Itoa(i)
	body := bytes.Repeat([]byte{byte(i)}, 3000+i%500)
	return &document{id: i, title: title, body: body, words: strings.Fields(title)}
}

func (c *lru) put(d *document) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.index[d.id] = c.order.PushFront(d)
	if c.order.Len() > 200 {
		oldest := c.order.Back()
		delete(c.index, oldest.Value.(*document).id)
		c.order.Remove(oldest)
	}
}

func fillDocuments() {
	for i := 0; i < 1500; i++ {
		d := newDocument(i)
		documents[i], byTitle[d.title] = d, d
		counters[d.title] = int64(i)
	}
	for i := 0; i < 1000; i++ {
		recent.put(newDocument(i + 1000000))
	}
	for i := 0; i < 500; i++ {
		queue.slots[i] = newDocument(i)
	}
}

func fillBuffers() {
	for i := 0; i < 32; i++ {
		free = append(free, make([]byte, 0, 8<<10))
		var numbers []int64
		for n := 0; n < 5000+i*100; n++ {
			numbers = append(numbers, int64(n))
		}
		growing = append(growing, numbers)
		buffer := &bytes.Buffer{}
		buffer.WriteString(strings.Repeat("x", 3000+i*100))
		buffers = append(buffers, buffer)
		readers = append(readers, bufio.NewReader(strings.NewReader("short")))
		pool.Put(make([]byte, 0, 16<<10))
		rows = append(rows, make([]float64, 2048))
	}
}

// fillTokens cuts one text into tokens and one array into parts, and keeps all of them.
func fillTokens() {
	tokens = strings.SplitAfter(strings.Repeat("alpha beta gamma delta ", 12000), " ")
	for n := 0; n < 8; n++ {
		chunk := make([]byte, 64<<10)
		for len(chunk) > 0 {
			parts.parts = append(parts.parts, chunk[:256:256])
			chunk = chunk[256:]
		}
	}
}

// fillDoubtful makes buffers of bufferSize bytes for connections, a map for entries, and handles batches of them.
func fillDoubtful(connections, bufferSize, entries int) {
	for i := 0; i < connections; i++ {
		received[i] = append(make([]byte, 0, bufferSize), "GET / HTTP/1.1"...)
	}
	filling = make(map[uint32]uint32, entries)
	for i := 0; i < entries/200; i++ {
		filling[uint32(i)] = 1
	}
	for round := 0; round < 3; round++ {
		for i := 0; i < entries; i++ {
			batch[i] = round
		}
		clear(batch)
	}
}

type position struct{ word, line int64 }

// work has scratch memory of its own, given to it by the go statement as a slice of bytes, one of structs, and
// an interface.
func work(in <-chan *document, scratch []byte, positions []position, counts any) {
	for d := range in {
		copy(scratch, d.title)
		positions[d.id%len(positions)].word++
		if c, ok := counts.(*[32 << 10]byte); ok {
			c[d.id%len(c)]++
		}
	}
}

func main() {
	fillDocuments()
	fillBuffers()
	fillTokens()
	if len(os.Args) > 1 && os.Args[1] == "doubtful" {
		fillDoubtful(200, 64<<10, 200000)
	} else {
		fillDoubtful(15, 4<<10, 1000)
	}
	for i := 0; i < 8; i++ {
		go work(jobs, make([]byte, 64<<10), make([]position, 4<<10), new([32 << 10]byte))
	}
	for i := 0; i < 100; i++ {
		jobs <- newDocument(i)
	}
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	println("READY")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}
