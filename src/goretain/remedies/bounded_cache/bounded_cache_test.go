package remedies

import (
	"runtime"
	"testing"
	"time"
)

func ownBytes(_ int, value []byte) int64 { return int64(cap(value)) }

func TestBoundedCacheNeedsABound(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a cache without bounds is made")
		}
	}()
	NewBoundedCache[int, int](CacheLimits{TTL: time.Hour}, nil)
}

func TestBoundedCacheDropsWhatWasUsedLongestAgo(t *testing.T) {
	c := NewBoundedCache[string, int](CacheLimits{MaxEntries: 2}, nil)
	c.Put("a", 1)
	c.Put("b", 2)
	c.Get("a")
	c.Put("c", 3)
	if _, ok := c.Get("b"); ok {
		t.Error("b is kept, which was used longest ago")
	}
	for key, want := range map[string]int{"a": 1, "c": 3} {
		if v, ok := c.Get(key); !ok || v != want {
			t.Errorf("Get(%q) = %d, %v", key, v, ok)
		}
	}
	c.Delete("a")
	c.Delete("a")
	if _, ok := c.Get("a"); ok || c.Len() != 1 {
		t.Error("a is there after Delete")
	}
}

func TestBoundedCacheRefusesWhatIsTooLarge(t *testing.T) {
	c := NewBoundedCache[int](CacheLimits{MaxBytes: 4096}, ownBytes)
	if !c.Put(1, make([]byte, 100)) || c.Put(1, make([]byte, 4096)) {
		t.Error("Put does not say what it keeps")
	}
	if _, ok := c.Get(1); ok || c.Len() != 0 || c.Bytes() != 0 {
		t.Error("the old value is kept in place of one that is too large")
	}
}

func TestBoundedCacheExpires(t *testing.T) {
	now := time.Duration(0)
	c := NewBoundedCache[int, int](CacheLimits{MaxEntries: 100, TTL: 10}, nil)
	c.clock = func() time.Duration { return now }
	c.Put(1, 1)
	c.Put(2, 2)
	now = 5
	c.Put(3, 3)
	c.Get(1)
	now = 10
	if _, ok := c.Get(1); ok {
		t.Error("1 is returned after its time")
	}
	if v, ok := c.Get(3); !ok || v != 3 {
		t.Error("3 is dropped before its time")
	}
	if c.Len() != 1 {
		t.Errorf("%d entries are kept, want 1", c.Len())
	}
	c.Put(4, 4)
	now = 15
	c.Get(4)
	c.DeleteExpired()
	if _, ok := c.Get(4); !ok || c.Len() != 1 {
		t.Errorf("%d entries are kept, want 4 alone", c.Len())
	}
}

func TestBoundedCacheHoldsNoMoreThanMaxBytes(t *testing.T) {
	const most = 8 << 20
	for _, length := range []int{0, 64, 1024} {
		before := heapAfterGC()
		c := NewBoundedCache[int](CacheLimits{MaxBytes: most}, ownBytes)
		for i := 0; i < 300_000; i++ {
			c.Put(i, make([]byte, length))
		}
		if live := heapAfterGC() - before; live > most || c.Bytes() > most {
			t.Errorf("values of %d: %d bytes are live, %d counted, %d allowed", length, live, c.Bytes(), most)
		}
		runtime.KeepAlive(c)
	}
}

func TestBoundedCacheGivesMemoryBack(t *testing.T) {
	now := time.Duration(0)
	c := NewBoundedCache[int](CacheLimits{MaxBytes: 64 << 20, TTL: 10}, ownBytes)
	c.clock = func() time.Duration { return now }
	givesBack(t,
		func() {
			for i := 0; i < 100_000; i++ {
				c.Put(i, make([]byte, 128))
			}
		},
		func() { now = 10; c.Get(0) })
	runtime.KeepAlive(c)
}

func TestBoundedCacheStress(t *testing.T) {
	leavesNoGoroutine(t)
	const keys = 128
	c := NewBoundedCache[int, int](CacheLimits{MaxEntries: keys * stressWorkers, MaxBytes: 1 << 20}, nil)
	each := stressOps() / stressWorkers
	inParallel(stressWorkers, func(worker int) {
		for i := 0; i < each; i++ {
			key := worker*keys + i%keys
			switch i / keys % 3 {
			case 0:
				c.Put(key, i)
			case 1:
				if v, ok := c.Get(key); !ok || v != i-keys {
					t.Errorf("Get(%d) = %d, %v: a write was lost", key, v, ok)
					return
				}
			default:
				c.Delete(key)
			}
		}
		for key := worker * keys; key < (worker+1)*keys; key++ {
			c.Put(key, key)
		}
	})
	if c.Len() != keys*stressWorkers {
		t.Errorf("%d entries, want %d", c.Len(), keys*stressWorkers)
	}
}

// The same steps on a cache and on a list in order of use must give the same.
func FuzzBoundedCache(f *testing.F) {
	f.Add([]byte("put get delete, put and get again and again"), uint8(5), uint16(700))
	f.Fuzz(func(t *testing.T, steps []byte, entries uint8, most uint16) {
		type entry struct{ key, value int }
		size := func(key, _ int) int64 { return int64(key) }
		limits := CacheLimits{MaxEntries: int(entries) + 1, MaxBytes: int64(most) + 1}
		c := NewBoundedCache(limits, size)
		var used []entry // longest ago first
		take := func(key int) (int, bool) {
			for i, e := range used {
				if e.key == key {
					used = append(used[:i:i], used[i+1:]...)
					return e.value, true
				}
			}
			return 0, false
		}
		cost := func() (total int64) {
			for _, e := range used {
				total += c.cost(e.key, e.value)
			}
			return total
		}
		for i, step := range steps {
			key := int(step >> 2)
			switch step & 3 {
			case 0:
				want, ok := take(key)
				if ok {
					used = append(used, entry{key, want})
				}
				if got, found := c.Get(key); got != want || found != ok {
					t.Fatalf("step %d: Get(%d) = %d, %v, want %d, %v", i, key, got, found, want, ok)
				}
			case 1:
				take(key)
				c.Delete(key)
			default:
				take(key)
				fits := c.cost(key, i) <= limits.MaxBytes
				if fits {
					used = append(used, entry{key, i})
				}
				for len(used) > limits.MaxEntries || cost() > limits.MaxBytes {
					used = used[1:]
				}
				if c.Put(key, i) != fits {
					t.Fatalf("step %d: Put(%d) = %v", i, key, !fits)
				}
			}
			if c.Len() != len(used) || c.Bytes() != cost() {
				t.Fatalf("step %d: %d entries of %d bytes, want %d of %d", i, c.Len(), c.Bytes(), len(used), cost())
			}
		}
	})
}

// A hundred thousand values of 1 KB, of which the last thousand would do.
func BenchmarkBoundedCache(b *testing.B) {
	const values, length = 100_000, 1000
	b.Run("fill/remedy", func(b *testing.B) {
		b.ReportAllocs()
		fill := func() any {
			c := NewBoundedCache[int](CacheLimits{MaxBytes: 1200 * 1000}, ownBytes)
			for i := 0; i < values; i++ {
				c.Put(i, make([]byte, length))
			}
			return c
		}
		for i := 0; i < b.N; i++ {
			fill()
		}
		reportHeld(b, fill)
	})
	b.Run("fill/naive", func(b *testing.B) {
		b.ReportAllocs()
		fill := func() any {
			m := make(map[int][]byte)
			for i := 0; i < values; i++ {
				m[i] = make([]byte, length)
			}
			return m
		}
		for i := 0; i < b.N; i++ {
			fill()
		}
		reportHeld(b, fill)
	})
}
