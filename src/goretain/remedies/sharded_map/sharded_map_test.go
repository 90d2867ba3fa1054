package remedies

import (
	"hash/maphash"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

func TestShardedMapCounts(t *testing.T) {
	for shards, want := range map[int]int{1: 1, 2: 2, 3: 4, 10: 16, 64: 64, 65: 128} {
		m := NewShardedMap[string, int](shards, maphash.String)
		if got := len(m.table.Load().shards); got != want {
			t.Errorf("%d shards asked for: %d, want %d", shards, got, want)
		}
		m.Resize(3 * shards)
		if got := len(m.table.Load().shards); got < 3*shards || got >= 6*shards {
			t.Errorf("%d shards asked for: %d", 3*shards, got)
		}
	}
	if got := len(NewShardedMap[string, int](0, maphash.String).table.Load().shards); got < runtime.GOMAXPROCS(0) {
		t.Errorf("%d shards by default", got)
	}
}

func TestShardedMapUsesAllShards(t *testing.T) {
	m := NewShardedMap[int, int](64, HashInteger[int])
	for i := 0; i < 10_000; i++ {
		m.Store(i, i)
	}
	shards := m.table.Load().shards
	for i := range shards {
		if n := shards[i].entries.Len(); n < 50 || n > 500 {
			t.Errorf("shard %d has %d of 10000 entries", i, n)
		}
	}
}

func TestShardedMapKeepsEntriesInAResize(t *testing.T) {
	m := NewShardedMap[int, int](4, HashInteger[int])
	for i := 0; i < 1000; i++ {
		m.Store(i, -i)
	}
	for _, shards := range []int{64, 1, 16, 2} {
		m.Resize(shards)
		if m.Len() != 1000 {
			t.Fatalf("%d entries in %d shards", m.Len(), shards)
		}
		for i := 0; i < 1000; i++ {
			if v, ok := m.Load(i); !ok || v != -i {
				t.Fatalf("Load(%d) = %d, %v in %d shards", i, v, ok, shards)
			}
		}
	}
	if v, loaded := m.LoadOrStore(7, 1); !loaded || v != -7 {
		t.Errorf("LoadOrStore = %d, %v", v, loaded)
	}
	m.Delete(7)
	if v, loaded := m.LoadOrStore(7, 1); loaded || v != 1 {
		t.Errorf("LoadOrStore after Delete = %d, %v", v, loaded)
	}
}

// resizing changes the number of shards of m over and over while work runs, which goes on until enough says so.
func resizing(m *ShardedMap[int, int], work func(enough func() bool)) {
	var done atomic.Bool
	var times atomic.Int64
	inParallel(2, func(worker int) {
		if worker == 0 {
			defer done.Store(true)
			work(func() bool { return times.Load() >= 8 })
			return
		}
		for !done.Load() {
			m.Resize(1 << (times.Add(1) * 5 % 7))
			runtime.Gosched()
		}
	})
}

func TestShardedMapLosesNoUpdateInAResize(t *testing.T) {
	leavesNoGoroutine(t)
	m := NewShardedMap[int, int](8, HashInteger[int])
	each := stressOps() / stressWorkers
	var updates atomic.Int64
	resizing(m, func(enough func() bool) {
		inParallel(stressWorkers, func(int) {
			i := 0
			for ; i < each || !enough(); i++ {
				m.Update(i%1024, func(old int, _ bool) int { return old + 1 })
			}
			updates.Add(int64(i))
		})
	})
	total := 0
	m.Range(func(_, value int) bool { total += value; return true })
	if want := int(updates.Load()); total != want {
		t.Errorf("%d of %d updates were lost", want-total, want)
	}
}

func TestShardedMapLosesNoWriteInAResize(t *testing.T) {
	leavesNoGoroutine(t)
	m := NewShardedMap[int, int](8, HashInteger[int])
	each := stressOps() / stressWorkers / 10
	var kept atomic.Int64
	resizing(m, func(enough func() bool) {
		inParallel(stressWorkers, func(worker int) {
			i := 0
			for ; i < each || !enough(); i++ {
				key := worker<<32 | i%4096
				m.Store(key, i)
				if v, ok := m.Load(key); !ok || v != i {
					t.Errorf("Load(%d) = %d, %v after Store of %d", key, v, ok, i)
					return
				}
				if i%2 == 1 {
					m.Delete(key)
				}
			}
			kept.Add(int64(min(i, 4096)+1) / 2)
		})
	})
	if want := int(kept.Load()); m.Len() != want {
		t.Errorf("%d entries, want %d", m.Len(), want)
	}
}

func TestShardedMapRangeInAResize(t *testing.T) {
	m := NewShardedMap[int, int](8, HashInteger[int])
	for i := 0; i < 1000; i++ {
		m.Store(i, i)
	}
	resizing(m, func(enough func() bool) {
		for round := 0; round < 50 || !enough(); round++ {
			seen := make(map[int]int)
			m.Range(func(key, _ int) bool {
				seen[key]++
				m.Store(key, round) // no lock is held
				return true
			})
			if len(seen) != 1000 || m.Len() != 1000 {
				t.Errorf("%d entries came, Len is %d", len(seen), m.Len())
			}
		}
	})
}

func TestShardedMapGivesMemoryBack(t *testing.T) {
	m := NewShardedMap[int, int](16, HashInteger[int])
	givesBack(t,
		func() {
			for i := 0; i < 200_000; i++ {
				m.Store(i, i)
			}
		},
		func() {
			m.Resize(32)
			for i := 0; i < 200_000; i++ {
				m.Delete(i)
			}
			m.Resize(16)
		})
	runtime.KeepAlive(m)
}

// Only writes, by all processors.
func BenchmarkShardedMap(b *testing.B) {
	const keys = 1 << 14
	b.Run("writes/remedy", func(b *testing.B) {
		b.ReportAllocs()
		m := NewShardedMap[int, int](0, HashInteger[int])
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				m.Store(i&(keys-1), i)
			}
		})
	})
	b.Run("writes/naive", func(b *testing.B) {
		b.ReportAllocs()
		var mu sync.Mutex
		m := make(map[int]int)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				mu.Lock()
				m[i&(keys-1)] = i
				mu.Unlock()
			}
		})
	})
}
