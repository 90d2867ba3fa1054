package remedies

import (
	"bytes"
	"runtime"
	"sync"
	"testing"
)

func TestBufferPoolGivesEmptyBuffers(t *testing.T) {
	var p BufferPool
	p.Put(nil)
	for round := 0; round < 100; round++ {
		b := p.Get()
		if b.Len() != 0 {
			t.Fatalf("Get gives a buffer with %q", b)
		}
		b.WriteString("secret")
		p.Put(b)
	}
}

func TestBufferPoolLetsLargeBuffersGo(t *testing.T) {
	p := BufferPool{MaxBytes: 1 << 10}
	for round := 0; round < 100; round++ {
		b := p.Get()
		if b.Cap() > p.MaxBytes {
			t.Fatalf("Get gives a buffer of %d bytes", b.Cap())
		}
		b.Write(make([]byte, round*100))
		p.Put(b)
	}
}

func TestBufferPoolGivesMemoryBack(t *testing.T) {
	var p BufferPool
	var buffers []*bytes.Buffer
	givesBack(t,
		func() {
			for n := 0; n < 200; n++ {
				b := p.Get()
				b.Write(make([]byte, 40_000))
				buffers = append(buffers, b)
			}
		},
		func() {
			for _, b := range buffers {
				p.Put(b)
			}
			buffers = nil
		})
	runtime.KeepAlive(&p)
}

func TestBufferPoolStress(t *testing.T) {
	leavesNoGoroutine(t)
	var p BufferPool
	each := stressOps() / stressWorkers
	inParallel(stressWorkers, func(worker int) {
		want := bytes.Repeat([]byte{byte('a' + worker)}, 16)
		for i := 0; i < each; i++ {
			b := p.Get()
			b.Write(want)
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("somebody else writes to a buffer of ours: %q", b)
				return
			}
			p.Put(b)
		}
	})
}

// Answers of 1 KB, and now and then one of 4 MB. live-B is what a pool keeps when they are done.
func BenchmarkBufferPool(b *testing.B) {
	small, large := make([]byte, 1<<10), make([]byte, 4<<20)
	answers := func(get func() *bytes.Buffer, put func(*bytes.Buffer), n int) {
		for i := 0; i < n; i++ {
			buffer := get()
			if i%1000 == 0 {
				buffer.Write(large)
			} else {
				buffer.Write(small)
			}
			put(buffer)
		}
	}
	reportKept := func(b *testing.B, use func()) {
		b.StopTimer()
		before := heapAfterGC()
		use()
		runtime.GC() // what the pool has in use survives the first collection
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		b.ReportMetric(max(0, float64(stats.HeapAlloc)-float64(before)), "live-B")
	}
	b.Run("answers/remedy", func(b *testing.B) {
		b.ReportAllocs()
		var p BufferPool
		answers(p.Get, p.Put, b.N)
		reportKept(b, func() { answers(p.Get, p.Put, 1001) })
	})
	b.Run("answers/naive", func(b *testing.B) {
		b.ReportAllocs()
		p := sync.Pool{New: func() any { return new(bytes.Buffer) }}
		get := func() *bytes.Buffer { return p.Get().(*bytes.Buffer) }
		put := func(buffer *bytes.Buffer) { buffer.Reset(); p.Put(buffer) }
		answers(get, put, b.N)
		reportKept(b, func() { answers(get, put, 1001) })
	})
}
