package remedies

import (
	"runtime"
	"strconv"
	"testing"
)

func TestMapPoolGivesEmptyMaps(t *testing.T) {
	var p MapPool[string, int]
	p.Put(nil)
	for round := 0; round < 100; round++ {
		m := p.Get()
		if m == nil || len(m) != 0 {
			t.Fatalf("Get gives %v", m)
		}
		m["session"] = round
		p.Put(m)
	}
}

func TestMapPoolLetsLargeMapsGo(t *testing.T) {
	p := MapPool[int, int]{MaxEntries: 100}
	before := heapAfterGC()
	for round := 0; round < 8; round++ {
		m := p.Get()
		for i := 0; i < 100_000; i++ {
			m[i] = i
		}
		p.Put(m)
	}
	runtime.GC() // one collection would leave what is in the pool
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	if left := int(stats.HeapAlloc) - before; left > 64<<10 {
		t.Errorf("%d bytes are live after large maps were put", left)
	}
	runtime.KeepAlive(&p)
}

func TestMapPoolGivesMemoryBack(t *testing.T) {
	var p MapPool[int, int]
	var maps []map[int]int
	givesBack(t,
		func() {
			for n := 0; n < 200; n++ {
				m := p.Get()
				for i := 0; i < 1000; i++ {
					m[i] = i
				}
				maps = append(maps, m)
			}
		},
		func() {
			for _, m := range maps {
				p.Put(m)
			}
			maps = nil
		})
	runtime.KeepAlive(&p)
}

func TestMapPoolStress(t *testing.T) {
	leavesNoGoroutine(t)
	var p MapPool[int, int]
	each := stressOps() / stressWorkers
	inParallel(stressWorkers, func(worker int) {
		for i := 0; i < each; i++ {
			m := p.Get()
			if len(m) != 0 {
				t.Errorf("Get gives a map with %d entries", len(m))
				return
			}
			m[worker] = i
			if m[worker] != i || len(m) != 1 {
				t.Errorf("somebody else writes to a map of ours: %v", m)
				return
			}
			p.Put(m)
		}
	})
}

// Twenty fields of a request.
func BenchmarkMapPool(b *testing.B) {
	var keys []string
	for i := 0; i < 20; i++ {
		keys = append(keys, "field"+strconv.Itoa(i))
	}
	use := func(m map[string]int) {
		for i, key := range keys {
			m[key] = i
		}
	}
	b.Run("request/remedy", func(b *testing.B) {
		b.ReportAllocs()
		var p MapPool[string, int]
		for i := 0; i < b.N; i++ {
			m := p.Get()
			use(m)
			p.Put(m)
		}
	})
	b.Run("request/naive", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; i < b.N; i++ {
			m := make(map[string]int)
			use(m)
		}
	})
}
