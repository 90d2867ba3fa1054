package main

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// cache keeps the newest pages, and no more than limit of them.
type cache struct {
	sync.Mutex
	limit int
	pages map[string][]byte
	order []string // ring: order[next] is the oldest
	next  int
}

var (
	recent  = &cache{limit: 500, pages: make(map[string][]byte, 501), order: make([]string, 500)}
	buffers = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 16<<10)) }}
)

// page renders a page into a pooled buffer and caches a copy of it.
func page(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Query().Get("path")
	text := recent.get(path)
	if text == nil {
		buffer := buffers.Get().(*bytes.Buffer)
		buffer.Reset()
		for line := 0; line < 40; line++ {
			fmt.Fprintf(buffer, "<p>%s, line %d</p>\n", path, line)
		}
		text = bytes.Clone(buffer.Bytes())
		buffers.Put(buffer)
		recent.put(path, text)
	}
	w.Write(text)
}

func (c *cache) get(path string) []byte {
	c.Lock()
	defer c.Unlock()
	return c.pages[path]
}

func (c *cache) put(path string, text []byte) {
	c.Lock()
	defer c.Unlock()
	delete(c.pages, c.order[c.next])
	c.pages[path], c.order[c.next] = text, path
	c.next = (c.next + 1) % c.limit
}

// janitor waits in a method of the cache, so that its stack holds the cache as well.
func (c *cache) janitor() {
	for range time.Tick(time.Minute) {
		c.Lock()
		c.Unlock()
	}
}
