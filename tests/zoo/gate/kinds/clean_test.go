package kinds

import (
	"bytes"
	"container/list"
	"encoding/json"
	"fmt"
	"math/bits"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	once  sync.Once
	table []byte
	pool  = sync.Pool{New: func() any { return new([4096]byte) }}
	steps int
)

//gate:settles
func BenchmarkNothing(b *testing.B) {
	each(b, func(int) {})
}

//gate:settles
func BenchmarkGarbage(b *testing.B) {
	each(b, func(i int) { sink = fmt.Sprintf("%d %s", i, strings.Repeat("x", i%1000)) })
}

//gate:settles
func BenchmarkLazy(b *testing.B) {
	each(b, func(int) { once.Do(func() { table = make([]byte, 4<<20) }) })
}

//gate:settles
func BenchmarkLazyAfterThousands(b *testing.B) {
	each(b, func(i int) {
		if i == 3000 {
			table = make([]byte, 1<<20)
		}
	})
}

//gate:undecided
func BenchmarkLazyAtTheVeryEnd(b *testing.B) {
	each(b, func(i int) {
		if i == 50_000 {
			table = make([]byte, 1<<20)
		}
	})
}

// lru is a cache of so many entries that forgets what was used longest ago.
type lru struct {
	most  int
	order list.List
	items map[int]*list.Element
}

func (c *lru) get(key int) {
	if c.items == nil {
		c.items = map[int]*list.Element{}
	}
	if item := c.items[key]; item != nil {
		c.order.MoveToFront(item)
		return
	}
	c.items[key] = c.order.PushFront(key)
	if c.order.Len() > c.most {
		delete(c.items, c.order.Remove(c.order.Back()).(int))
	}
}

//gate:settles
func BenchmarkCacheFull(b *testing.B) {
	cache := &lru{most: 100}
	sink = cache
	each(b, cache.get)
}

//gate:settles
func BenchmarkCacheFilling(b *testing.B) {
	cache := &lru{most: 10_000}
	sink = cache
	each(b, cache.get)
}

//gate:undecided
func BenchmarkCacheFillingToTheEnd(b *testing.B) {
	cache := &lru{most: 40_000}
	sink = cache
	each(b, cache.get)
}

//gate:settles
func BenchmarkCacheEmptied(b *testing.B) {
	cache := map[int]*node{}
	sink = cache
	each(b, func(i int) {
		if len(cache) > 200 {
			for key := range cache {
				delete(cache, key)
			}
		}
		cache[i] = &node{}
	})
}

//gate:settles
func BenchmarkListEmptied(b *testing.B) {
	var held []*node
	each(b, func(i int) {
		if held = append(held, &node{}); len(held) == 1000 {
			held = nil
		}
		sink = held
	})
}

//gate:settles
func BenchmarkMapChurn(b *testing.B) {
	live := map[int]int{}
	sink = live
	each(b, func(i int) {
		live[i] = i
		delete(live, i-1000)
	})
}

//gate:settles
func BenchmarkRandomKeys(b *testing.B) {
	seen := map[int]*node{}
	sink = seen
	each(b, func(int) { seen[rand.Intn(2000)] = &node{} })
}

//gate:settles
func BenchmarkRing(b *testing.B) {
	ring := make([]*node, 512)
	sink = ring
	each(b, func(i int) { ring[i%512] = &node{} })
}

//gate:settles
func BenchmarkPool(b *testing.B) {
	each(b, func(int) {
		one := pool.Get().(*[4096]byte)
		one[0]++
		pool.Put(one)
	})
}

//gate:settles
func BenchmarkPoolParallel(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			one := pool.Get().(*[4096]byte)
			other := pool.Get().(*[4096]byte)
			pool.Put(one)
			pool.Put(other)
		}
	})
}

//gate:settles
func BenchmarkBufferReset(b *testing.B) {
	var buffer bytes.Buffer
	sink = &buffer
	each(b, func(i int) {
		buffer.Reset()
		buffer.Write(make([]byte, i%3000))
	})
}

//gate:settles
func BenchmarkGoroutinesThatEnd(b *testing.B) {
	each(b, func(int) {
		done := make(chan int)
		go func() { close(done) }()
		<-done
	})
}

//gate:settles
func BenchmarkGoroutinesThatEndLater(b *testing.B) {
	each(b, func(i int) {
		if i%16 == 0 {
			go func() { time.Sleep(20 * time.Millisecond) }()
		}
	})
}

//gate:settles
func BenchmarkManyGoroutinesAtOnce(b *testing.B) {
	var all sync.WaitGroup
	all.Add(b.N)
	each(b, func(int) { go all.Done() })
	all.Wait()
}

//gate:settles
func BenchmarkFinalizers(b *testing.B) {
	each(b, func(int) {
		runtime.SetFinalizer(&node{next: &node{}}, func(*node) { steps++ })
	})
}

//gate:settles
func BenchmarkFinalizersInAChain(b *testing.B) {
	each(b, func(int) {
		var last *node
		for level := 0; level < 3; level++ {
			last = &node{next: last}
			runtime.SetFinalizer(last, func(*node) { steps++ })
		}
	})
}

//gate:settles
func BenchmarkTimerStopped(b *testing.B) {
	each(b, func(int) { time.AfterFunc(time.Hour, func() {}).Stop() })
}

//gate:settles
func BenchmarkJSON(b *testing.B) {
	each(b, func(i int) {
		if i%16 == 0 {
			text, _ := json.Marshal(map[string]any{"number": i, "node": node{}})
			_ = json.Unmarshal(text, &sink)
		}
	})
}

//gate:settles
func BenchmarkRequests(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, r.URL)
	}))
	defer server.Close()
	each(b, func(i int) {
		if i%64 == 0 {
			if answer, err := server.Client().Get(server.URL); err == nil {
				answer.Body.Close()
			}
		}
	})
}

//gate:settles
func BenchmarkLog(b *testing.B) {
	each(b, func(i int) {
		if i%1000 == 0 {
			b.Log("so far", i)
		}
	})
}

// It grows for ever, but by less and less of what it has.
//
//gate:settles
func BenchmarkLogarithm(b *testing.B) {
	var kept []*node
	each(b, func(i int) {
		for len(kept) < 50*bits.Len(uint(i)) {
			kept = append(kept, &node{})
		}
		sink = kept
	})
}

//gate:settles
func BenchmarkInput(b *testing.B) {
	input := make([][]byte, b.N)
	for i := range input {
		input[i] = make([]byte, 100)
	}
	b.ResetTimer()
	each(b, func(i int) { input[i][0]++ })
}

//gate:skipped
func BenchmarkSkipped(b *testing.B) {
	b.Skip("not here")
}

var interned = map[int]*string{}

//gate:settles
func BenchmarkInterned(b *testing.B) {
	each(b, func(i int) {
		if interned[i%5000] == nil {
			name := fmt.Sprint(i % 5000)
			interned[i%5000] = &name
		}
	})
}
