package remedies

import (
	"context"
	"runtime"
	"sync"
	"testing"
)

// watchedMap is the form that is often shown: a goroutine for each entry waits for the context.
type watchedMap struct {
	mu      sync.Mutex
	entries map[int]int
}

func (m *watchedMap) store(ctx context.Context, key, value int) {
	m.mu.Lock()
	m.entries[key] = value
	m.mu.Unlock()
	go func() {
		<-ctx.Done()
		m.mu.Lock()
		delete(m.entries, key)
		m.mu.Unlock()
	}()
}

// A thousand entries under one context, until all are gone.
func BenchmarkManagedMap(b *testing.B) {
	const keys = 1000
	b.Run("lifetime/remedy", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; i < b.N; i++ {
			var m ManagedMap[int, int]
			ctx, end := context.WithCancel(context.Background())
			for key := 0; key < keys; key++ {
				m.Store(ctx, key, key)
			}
			end()
			for m.Len() > 0 {
				runtime.Gosched()
			}
		}
		b.StopTimer()
		before := runtime.NumGoroutine()
		var m ManagedMap[int, int]
		ctx, end := context.WithCancel(context.Background())
		for key := 0; key < keys; key++ {
			m.Store(ctx, key, key)
		}
		b.ReportMetric(float64(runtime.NumGoroutine()-before), "goroutines")
		end()
	})
	b.Run("lifetime/naive", func(b *testing.B) {
		b.ReportAllocs()
		size := func(m *watchedMap) int {
			m.mu.Lock()
			defer m.mu.Unlock()
			return len(m.entries)
		}
		for i := 0; i < b.N; i++ {
			m := &watchedMap{entries: make(map[int]int)}
			ctx, end := context.WithCancel(context.Background())
			for key := 0; key < keys; key++ {
				m.store(ctx, key, key)
			}
			end()
			for size(m) > 0 {
				runtime.Gosched()
			}
		}
		b.StopTimer()
		before := runtime.NumGoroutine()
		m := &watchedMap{entries: make(map[int]int)}
		ctx, end := context.WithCancel(context.Background())
		for key := 0; key < keys; key++ {
			m.store(ctx, key, key)
		}
		b.ReportMetric(float64(runtime.NumGoroutine()-before), "goroutines")
		end()
	})
}
