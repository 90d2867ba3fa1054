package remedies

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

func TestMapRefZeroValue(t *testing.T) {
	var m MapRef[string, int]
	m.Delete("a")
	if _, ok := m.LoadAndDelete("a"); ok || m.Len() != 0 {
		t.Error("an empty map has entries")
	}
	m.Range(func(string, int) bool { t.Error("Range finds an entry"); return true })
	if v, loaded := m.LoadOrStore("a", 1); loaded || v != 1 {
		t.Errorf("LoadOrStore = %d, %v", v, loaded)
	}
	if v, loaded := m.LoadOrStore("a", 2); !loaded || v != 1 {
		t.Errorf("second LoadOrStore = %d, %v", v, loaded)
	}
	if v, loaded := m.LoadAndDelete("a"); !loaded || v != 1 || m.Len() != 0 {
		t.Errorf("LoadAndDelete = %d, %v; %d left", v, loaded, m.Len())
	}
	m.Store("b", 1)
	m.Clear()
	if _, ok := m.Load("b"); ok {
		t.Error("Clear leaves an entry")
	}
}

func TestMapRefLosesNoUpdate(t *testing.T) {
	leavesNoGoroutine(t)
	var m MapRef[int, int]
	each := stressOps() / stressWorkers
	inParallel(stressWorkers, func(int) {
		for i := 0; i < each; i++ {
			m.Update(i%64, func(old int, _ bool) int { return old + 1 })
		}
	})
	total := 0
	m.Range(func(_, value int) bool { total += value; return true })
	if total != each*stressWorkers {
		t.Errorf("%d of %d updates were lost", each*stressWorkers-total, each*stressWorkers)
	}
}

func TestMapRefStress(t *testing.T) {
	leavesNoGoroutine(t)
	var m MapRef[int, int]
	var created, removed atomic.Int64
	each := stressOps() / stressWorkers / 10
	inParallel(stressWorkers, func(worker int) {
		for i := 0; i < each; i++ {
			key := (i*7 + worker) % 512
			switch i % 5 {
			case 0, 1:
				if _, loaded := m.LoadOrStore(key, key); !loaded {
					created.Add(1)
				}
			case 2, 3:
				if value, loaded := m.LoadAndDelete(key); loaded {
					removed.Add(1)
					if value != key {
						t.Errorf("key %d has value %d", key, value)
					}
				}
			default:
				m.Load(key)
				if i%1000 == 4 {
					m.Range(func(key, value int) bool { m.Load(key); return key == value })
				}
			}
		}
	})
	if want := created.Load() - removed.Load(); int64(m.Len()) != want {
		t.Errorf("%d entries, want %d", m.Len(), want)
	}
}

func TestMapRefRangeMayUseTheMap(t *testing.T) {
	var m MapRef[int, int]
	for i := 0; i < 100; i++ {
		m.Store(i, i)
	}
	m.Range(func(key, _ int) bool {
		m.Delete(key)
		m.Store(key+1000, key)
		return true
	})
	if m.Len() != 100 {
		t.Errorf("%d entries, want 100", m.Len())
	}
}

func TestMapRefGivesMemoryBack(t *testing.T) {
	var m MapRef[int, int]
	givesBack(t,
		func() {
			for i := 0; i < 200_000; i++ {
				m.Store(i, i)
			}
		},
		func() {
			for i := 0; i < 200_000; i++ {
				m.Delete(i)
			}
		})
	runtime.KeepAlive(&m)
}

// One write in eight, by all processors.
func BenchmarkMapRef(b *testing.B) {
	const keys = 1 << 12
	b.Run("mixed/remedy", func(b *testing.B) {
		b.ReportAllocs()
		var m MapRef[int, int]
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if i&7 == 0 {
					m.Store(i&(keys-1), i)
				} else {
					m.Load(i & (keys - 1))
				}
			}
		})
	})
	b.Run("mixed/naive", func(b *testing.B) {
		b.ReportAllocs()
		var m sync.Map
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if i&7 == 0 {
					m.Store(i&(keys-1), i)
				} else {
					m.Load(i & (keys - 1))
				}
			}
		})
	})
	b.Run("held/remedy", func(b *testing.B) {
		fill := func() any {
			m := new(MapRef[int, int])
			for i := 0; i < keys; i++ {
				m.Store(i, i)
			}
			return m
		}
		for i := 0; i < b.N; i++ {
			fill()
		}
		reportHeld(b, fill)
	})
	b.Run("held/naive", func(b *testing.B) {
		fill := func() any {
			m := new(sync.Map)
			for i := 0; i < keys; i++ {
				m.Store(i, i)
			}
			return m
		}
		for i := 0; i < b.N; i++ {
			fill()
		}
		reportHeld(b, fill)
	})
}
