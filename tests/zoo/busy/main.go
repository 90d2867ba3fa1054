// Command busy is a healthy TLS and JSON server that is its own client. It keeps what reviews worry about and a
// heap makes look suspicious: pools of buffers that still have a length, free lists, scratch buffers with a
// little left over, compressors, templates, a drained priority queue, a bounded cache.
//
//	busy         after some load, at rest
//	busy load    under load that never ends
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
)

type conn struct {
	in, out []byte
	scratch []byte
}
type event struct {
	ID   int
	Name string
	Tags []string
	Meta map[string]any
}

var (
	bytePool = sync.Pool{New: func() any { return make([]byte, 64<<10) }}
	ptrPool  = sync.Pool{New: func() any { b := make([]byte, 0, 64<<10); return &b }}
	bufPool  = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	conns    []*conn
	events   []*event
	tmpl     *template.Template
	res      []*regexp.Regexp
	heapq    []int
	free     [][]byte
	freec    = make(chan []byte, 64)
	presized = make(map[string]int, 1000)
	lruMap   = map[int][]byte{}
	writers  []*bufio.Writer
	gz       []*gzip.Writer
	texts    []string
	mu       sync.Mutex
)

func handler(w http.ResponseWriter, r *http.Request) {
	b := bytePool.Get().([]byte)
	n := copy(b, "short text "+r.URL.Path)
	io.WriteString(w, string(b[:n]))
	bytePool.Put(b[:n]) // leftover length
	p := ptrPool.Get().(*[]byte)
	*p = append((*p)[:0], "abc"...)
	ptrPool.Put(p)
	x := bufPool.Get().(*bytes.Buffer)
	x.Reset()
	body, _ := io.ReadAll(r.Body)
	var e event
	if json.Unmarshal(body, &e) == nil {
		mu.Lock()
		if len(events) < 5000 {
			events = append(events, &e)
		} else {
			events[e.ID%5000] = &e
		}
		mu.Unlock()
	}
	tmpl.Execute(w, &e)
	bufPool.Put(x)
}

func main() {
	for i := 0; i < 20; i++ {
		c := &conn{in: make([]byte, 32<<10), out: make([]byte, 0, 32<<10), scratch: make([]byte, 0, 16<<10)}
		c.scratch = append(c.scratch[:0], "left over"...)
		conns = append(conns, c)
		free = append(free, make([]byte, 32<<10)[:0])
		freec <- make([]byte, 32<<10)
		writers = append(writers, bufio.NewWriterSize(io.Discard, 64<<10))
		g := gzip.NewWriter(io.Discard)
		g.Write([]byte("hello"))
		gz = append(gz, g)
		res = append(res, regexp.MustCompile(fmt.Sprintf(`^(a|b)*c{1,%d}[0-9]+$`, i+1)))
	}
	tmpl = template.Must(template.New("x").Parse(strings.Repeat("<p>{{.Name}} {{range .Tags}}{{.}}{{end}}</p>\n", 200)))
	for i := 0; i < 100000; i++ {
		heapq = append(heapq, i)
	}
	heapq = heapq[:30000]
	for i := 0; i < 3000; i++ {
		lruMap[i] = make([]byte, 1000)
		if i >= 500 {
			delete(lruMap, i-500)
		}
	}
	var sb strings.Builder
	for i := 0; i < 10000; i++ {
		sb.WriteString("some words here ")
	}
	texts = append(texts, sb.String())
	srv := httptest.NewTLSServer(http.HandlerFunc(handler))
	cl := srv.Client()
	load := func() {
		for i := 0; i < 300; i++ {
			js := fmt.Sprintf(`{"ID":%d,"Name":"event number %d","Tags":["a","bb","%s"],"Meta":{"k":[1,2,3,{"z":"%s"}]}}`, i, i, strings.Repeat("t", i%50), strings.Repeat("m", i%200))
			resp, err := cl.Post(srv.URL+"/some/path/"+fmt.Sprint(i)+"?q=1", "application/json", strings.NewReader(js))
			if err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		}
	}
	var wg sync.WaitGroup
	for k := 0; k < 8; k++ {
		wg.Add(1)
		go func() { defer wg.Done(); load() }()
	}
	wg.Wait()
	if len(os.Args) > 1 {
		for k := 0; k < 4; k++ {
			go func() {
				for {
					load()
				}
			}()
		}
		time.Sleep(time.Second)
	} else {
		runtime.GC()
	}
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
