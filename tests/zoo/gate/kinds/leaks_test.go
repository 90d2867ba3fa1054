// Package kinds has benchmarks of each kind that a gate must tell apart. The comment above each says what it
// is to say of it, and how many bytes an iteration leaves where that is a round figure.
package kinds

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

type node struct {
	next *node
	body [56]byte
}

var (
	chain     *node
	kilobytes []*[1024]byte
	numbers   []int64
	byNumber  = map[int]int{}
	records   bytes.Buffer
	letters   []*byte
	parent, _ = context.WithCancel(context.Background())
	forever   = make(chan int)
	lock      sync.Mutex
	deep      *node
	sink      any
)

func each(b *testing.B, f func(i int)) {
	for i := 0; i < b.N; i++ {
		f(i)
	}
}

//gate:grows 0.5
func BenchmarkHalfAByte(b *testing.B) {
	each(b, func(i int) {
		if i%128 == 0 {
			chain = &node{next: chain}
		}
	})
}

//gate:grows
func BenchmarkKilobyte(b *testing.B) {
	each(b, func(int) { kilobytes = append(kilobytes, new([1024]byte)) })
}

//gate:grows
func BenchmarkAppendToGlobal(b *testing.B) {
	each(b, func(i int) { numbers = append(numbers, int64(i)) })
}

//gate:grows
func BenchmarkMap(b *testing.B) {
	each(b, func(int) { byNumber[len(byNumber)] = 1 })
}

//gate:grows
func BenchmarkMapSometimes(b *testing.B) {
	each(b, func(i int) {
		if i%24 == 0 {
			byNumber[len(byNumber)] = 1
		}
	})
}

//gate:grows
func BenchmarkBufferNeverRead(b *testing.B) {
	each(b, func(int) { records.WriteByte('x') })
}

//gate:grows
func BenchmarkLetters(b *testing.B) {
	each(b, func(int) { letters = append(letters, new(byte)) })
}

//gate:grows
func BenchmarkRarely(b *testing.B) {
	each(b, func(i int) {
		if i%5000 == 4999 {
			kilobytes = append(kilobytes, new([1024]byte))
		}
		sink = new([64]byte)
	})
}

//gate:grows
func BenchmarkGoroutine(b *testing.B) {
	each(b, func(i int) {
		if i%8 == 0 {
			go func() { <-forever }()
		}
	})
}

//gate:grows
func BenchmarkTimer(b *testing.B) {
	each(b, func(int) { time.AfterFunc(time.Hour, func() {}) })
}

//gate:grows
func BenchmarkContextNeverCancelled(b *testing.B) {
	each(b, func(int) {
		ctx, cancel := context.WithCancel(parent)
		sink, _ = ctx, cancel
	})
}

//gate:grows
func BenchmarkFinalizerKeepsItsObject(b *testing.B) {
	each(b, func(int) {
		one := new([256]byte)
		runtime.SetFinalizer(one, func(*[256]byte) { one[0]++ })
	})
}

//gate:grows
func BenchmarkParallel(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			lock.Lock()
			kilobytes = append(kilobytes, new([1024]byte))
			lock.Unlock()
		}
	})
}

func BenchmarkSub(b *testing.B) {
	kept := [][]byte(nil)
	//gate:settles
	b.Run("clean", func(b *testing.B) {
		each(b, func(i int) { sink = make([]byte, 100) })
	})
	//gate:grows
	b.Run("leak of [1] (a/b)", func(b *testing.B) {
		each(b, func(i int) { kept = append(kept, make([]byte, 100)); sink = kept })
	})
}

//go:noinline
func descend(levels int, f func()) {
	if levels == 0 {
		f()
		return
	}
	if levels%2 == 0 {
		descend(levels/2, f)
	} else {
		descend(levels/2, f) // another line, another call stack
	}
}

//gate:grows 64
func BenchmarkManyCallStacks(b *testing.B) {
	each(b, func(i int) { descend(i*7919%4096, func() { deep = &node{next: deep} }) })
}

//gate:grows
func BenchmarkCacheThatForgetsToForget(b *testing.B) {
	cache := map[int]*node{}
	each(b, func(i int) {
		cache[i] = &node{}
		if len(cache) > 300 {
			for key, value := range cache {
				delete(cache, key)
				if key%50 == 0 {
					value.next, chain = chain, value
				}
			}
		}
	})
}

//gate:grows
func BenchmarkEvents(b *testing.B) {
	var events []string
	each(b, func(i int) {
		if i%100 == 0 {
			events = append(events, fmt.Sprintf("event %d", i))
			sink = events
		}
	})
}
