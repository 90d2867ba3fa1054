// Command server is an ordinary HTTPS service with a JSON API, put under a short load by clients of its own
// over the loopback, and left with its keep-alive connections open. It is what types are measured on.
//
// With an argument, it writes an execution trace of its whole run to that file: under GODEBUG=traceallocfree=1
// the trace has the address and type of every allocation.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/trace"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

type item struct {
	ID      int               `json:"id"`
	Name    string            `json:"name"`
	Tags    []string          `json:"tags"`
	Attrs   map[string]any    `json:"attrs"`
	Labels  map[string]string `json:"labels"`
	Price   *price            `json:"price"`
	Created time.Time         `json:"created"`
	Raw     json.RawMessage   `json:"raw"`
	err     error
	notify  func(*item)
}

type price struct {
	Amount   float64 `json:"amount"`
	Currency string  `json:"currency"`
}

type session struct {
	user    string
	ctx     context.Context
	cancel  context.CancelFunc
	history []*item
	scratch *bytes.Buffer
}

type store struct {
	mu       sync.RWMutex
	items    map[int]*item
	byTag    map[string][]*item
	sessions sync.Map
	log      []any
	watchers []chan *item
}

var (
	errNotFound = errors.New("not found")
	data        = &store{items: map[int]*item{}, byTag: map[string][]*item{}}
	buffers     = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	server      *httptest.Server
	stats       runtime.MemStats
)

func (s *store) put(it *item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items[it.ID] = it
	for _, tag := range it.Tags {
		s.byTag[tag] = append(s.byTag[tag], it)
	}
	s.log = append(s.log, it.Name, it.ID, *it.Price)
	it.err = fmt.Errorf("item %d: %w", it.ID, errNotFound)
	it.notify = func(other *item) { other.err = it.err }
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		var it item
		if err := json.NewDecoder(r.Body).Decode(&it); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.put(&it)
		s.touch(r.Header.Get("X-User"), &it)
		w.WriteHeader(http.StatusCreated)
	default:
		id, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/items/"))
		s.mu.RLock()
		it := s.items[id]
		s.mu.RUnlock()
		out := buffers.Get().(*bytes.Buffer)
		out.Reset()
		defer buffers.Put(out)
		if err := json.NewEncoder(out).Encode(it); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(out.Bytes())
	}
}

func (s *store) touch(user string, it *item) {
	found, ok := s.sessions.Load(user)
	if !ok {
		ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), "user", user), time.Hour)
		found, _ = s.sessions.LoadOrStore(user, &session{user: user, ctx: ctx, cancel: cancel, scratch: &bytes.Buffer{}})
	}
	kept := found.(*session)
	s.mu.Lock()
	kept.history = append(kept.history, it)
	fmt.Fprintf(kept.scratch, "%s touched %d\n", user, it.ID)
	s.mu.Unlock()
}

func watch(in chan *item) {
	ticker := time.NewTicker(time.Hour)
	seen := map[int]bool{}
	for {
		select {
		case it := <-in:
			seen[it.ID] = true
		case <-ticker.C:
			return
		}
	}
}

func newItem(i int) *item {
	return &item{
		ID: i, Name: "item " + strconv.Itoa(i), Tags: []string{"all", "mod" + strconv.Itoa(i%7)},
		Attrs:  map[string]any{"n": i, "s": "text", "list": []any{1.5, nil, map[string]any{"deep": true}}},
		Labels: map[string]string{"owner": "team" + strconv.Itoa(i%5)},
		Price:  &price{float64(i) / 3, "EUR"}, Created: time.Unix(int64(i), 0), Raw: json.RawMessage(`{"k":[1,2]}`),
	}
}

// client posts and gets: every connection stays open for reuse.
func client(n, requests int, wg *sync.WaitGroup) {
	defer wg.Done()
	for i := 0; i < requests; i++ {
		id := n*requests + i
		body, err := json.Marshal(newItem(id))
		if err != nil {
			panic(err)
		}
		request, _ := http.NewRequest(http.MethodPost, server.URL+"/items/", bytes.NewReader(body))
		request.Header.Set("X-User", "user"+strconv.Itoa(n))
		exchange(request)
		request, _ = http.NewRequest(http.MethodGet, server.URL+"/items/"+strconv.Itoa(id), nil)
		exchange(request)
	}
}

func exchange(request *http.Request) {
	response, err := server.Client().Do(request)
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}

func load() {
	server = httptest.NewTLSServer(data)
	server.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 20
	var wg sync.WaitGroup
	for n := 0; n < 12; n++ {
		watcher := make(chan *item, 4)
		data.watchers = append(data.watchers, watcher)
		go watch(watcher)
		wg.Add(1)
		go client(n, 150, &wg)
	}
	wg.Wait()
	for tag := range data.byTag {
		sort.Slice(data.byTag[tag], func(a, b int) bool { return data.byTag[tag][a].ID < data.byTag[tag][b].ID })
	}
}

// startThreads makes the runtime have threads to spare, so that it starts (and allocates) none later.
func startThreads() {
	var done sync.WaitGroup
	for i := 0; i < 16; i++ {
		done.Add(1)
		go func() {
			wait := syscall.Timespec{Nsec: 30e6}
			_ = syscall.Nanosleep(&wait, nil)
			done.Done()
		}()
	}
	done.Wait()
}

func main() {
	traced := len(os.Args) > 1
	if traced {
		file, err := os.Create(os.Args[1])
		if err != nil {
			panic(err)
		}
		if err := trace.Start(file); err != nil {
			panic(err)
		}
	}
	load()
	startThreads()
	time.Sleep(100 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	if traced {
		trace.Stop()
	}
	runtime.ReadMemStats(&stats)
	println("HeapObjects", stats.HeapObjects)
	println("HeapAlloc", stats.HeapAlloc)
	println("READY")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}
