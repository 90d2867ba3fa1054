package remedies

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func TestImmutableMap(t *testing.T) {
	var empty ImmutableMap[string, int]
	if _, ok := empty.Get("a"); ok || empty.Len() != 0 || len(empty.Keys()) != 0 {
		t.Error("the zero value is not empty")
	}
	source := map[string]int{"a": 1, "b": 2}
	m := NewImmutableMap(source)
	source["a"] = 100
	source["c"] = 3
	if v, ok := m.Get("a"); !ok || v != 1 || m.Len() != 2 {
		t.Errorf("Get = %d, %v; Len = %d", v, ok, m.Len())
	}
	keys := m.Keys()
	slices.Sort(keys)
	if !slices.Equal(keys, []string{"a", "b"}) {
		t.Errorf("Keys = %v", keys)
	}
	sum := 0
	m.Range(func(_ string, value int) bool { sum += value; return true })
	if sum != 3 {
		t.Errorf("Range sums up to %d", sum)
	}
	calls := 0
	m.Range(func(string, int) bool { calls++; return false })
	if calls != 1 {
		t.Errorf("Range goes on after false: %d calls", calls)
	}
}

func TestImmutableMapIsAsDeepAsItSays(t *testing.T) {
	source := map[string][]int{"a": {1, 2}}
	shallow := NewImmutableMap(source)
	deep := NewImmutableMapFunc(source, slices.Clone[[]int])
	source["a"][0] = 100
	if v, _ := shallow.Get("a"); v[0] != 100 {
		t.Error("NewImmutableMap copies elements, which it says it does not")
	}
	if v, _ := deep.Get("a"); v[0] != 1 {
		t.Error("NewImmutableMapFunc shares elements")
	}
}

func TestImmutableMapHasATableOfItsSize(t *testing.T) {
	source := make(map[int]int)
	for i := 0; i < 200_000; i++ {
		source[i] = i
	}
	for i := 100; i < 200_000; i++ {
		delete(source, i)
	}
	before := heapAfterGC()
	m := NewImmutableMap(source)
	if taken := heapAfterGC() - before; taken > 64<<10 {
		t.Errorf("a copy of 100 entries takes %d bytes", taken)
	}
	if m.Len() != 100 || len(source) != 100 {
		t.Error("entries are lost")
	}
}

func TestImmutableMapReplacedWhileRead(t *testing.T) {
	leavesNoGoroutine(t)
	var current atomic.Pointer[ImmutableMap[int, int]]
	replace := func(version int) {
		m := NewImmutableMap(map[int]int{1: version, 2: version})
		current.Store(&m)
	}
	replace(0)
	each := stressOps() / stressWorkers
	inParallel(stressWorkers, func(worker int) {
		for i := 0; i < each; i++ {
			if worker == 0 && i%100 == 0 {
				replace(i)
			}
			m := current.Load()
			first, _ := m.Get(1)
			if second, _ := m.Get(2); first != second {
				t.Errorf("a map changes: %d and %d", first, second)
				return
			}
		}
	})
}

// Reads by all processors of what changes seldom.
func BenchmarkImmutableMap(b *testing.B) {
	source := make(map[int]int)
	for i := 0; i < 1024; i++ {
		source[i] = i
	}
	b.Run("get/remedy", func(b *testing.B) {
		b.ReportAllocs()
		var current atomic.Pointer[ImmutableMap[int, int]]
		m := NewImmutableMap(source)
		current.Store(&m)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				current.Load().Get(i & 1023)
			}
		})
	})
	b.Run("get/naive", func(b *testing.B) {
		b.ReportAllocs()
		var mu sync.RWMutex
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				mu.RLock()
				_ = source[i&1023]
				mu.RUnlock()
			}
		})
	})
}
