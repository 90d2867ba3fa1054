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

// resizing changes the number of shards of m over and over while work runs, and returns how often.
func resizing(m *ShardedMap[int, int], work func()) (times int) {
	var done atomic.Bool
	inParallel(2, func(worker int) {
		if worker == 0 {
			defer done.Store(true)
			work()
			return
		}
		for ; !done.Load(); times++ {
			m.Resize(1 << (times * 5 % 7))
			runtime.Gosched()
		}
	})
	return times
}

func TestShardedMapLosesNoUpdateInAResize(t *testing.T) {
	leavesNoGoroutine(t)
	m := NewShardedMap[int, int](8, HashInteger[int])
	each := stressOps() / stressWorkers
	times := resizing(m, func() {
		inParallel(stressWorkers, func(int) {
			for i := 0; i < each; i++ {
				m.Update(i%1024, func(old int, _ bool) int { return old + 1 })
			}
		})
	})
	total := 0
	m.Range(func(_, value int) bool { total += value; return true })
	if total != each*stressWorkers {
		t.Errorf("%d of %d updates were lost in %d resizes", each*stressWorkers-total, each*stressWorkers, times)
	}
	if times < 2 {
		t.Errorf("only %d resizes", times)
	}
}

func TestShardedMapLosesNoWriteInAResize(t *testing.T) {
	leavesNoGoroutine(t)
	m := NewShardedMap[int, int](8, HashInteger[int])
	each := stressOps() / stressWorkers / 10
	resizing(m, func() {
		inParallel(stressWorkers, func(worker int) {
			for i := 0; i < each; i++ {
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
		})
	})
	if want := stressWorkers * min(each, 4096) / 2; m.Len() != want {
		t.Errorf("%d entries, want %d", m.Len(), want)
	}
}

func TestShardedMapRangeInAResize(t *testing.T) {
	m := NewShardedMap[int, int](8, HashInteger[int])
	for i := 0; i < 1000; i++ {
		m.Store(i, i)
	}
	resizing(m, func() {
		for round := 0; round < 50; round++ {
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
