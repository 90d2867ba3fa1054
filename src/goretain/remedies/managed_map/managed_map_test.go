package remedies

import (
	"context"
	"runtime"
	"testing"
)

func TestManagedMapEntriesEndWithTheirContext(t *testing.T) {
	leavesNoGoroutine(t)
	var m ManagedMap[string, int]
	short, end := context.WithCancel(context.Background())
	long, stop := context.WithCancel(context.Background())
	defer stop()
	m.Store(short, "a", 1)
	m.Store(long, "b", 2)
	m.Store(context.Background(), "c", 3)
	end()
	if _, ok := m.Load("a"); ok {
		t.Error("an entry is seen after its context has ended")
	}
	eventually(t, "the entry is removed", func() bool { return m.Len() == 2 })
	for key, want := range map[string]int{"b": 2, "c": 3} {
		if v, ok := m.Load(key); !ok || v != want {
			t.Errorf("Load(%q) = %d, %v", key, v, ok)
		}
	}
}

func TestManagedMapStoreUnderAnEndedContext(t *testing.T) {
	var m ManagedMap[string, int]
	ended, end := context.WithCancel(context.Background())
	end()
	m.Store(context.Background(), "a", 1)
	m.Store(ended, "a", 2)
	if v, ok := m.Load("a"); ok || m.Len() != 0 {
		t.Errorf("Load = %d, %v; %d entries", v, ok, m.Len())
	}
}

func TestManagedMapContextsThatAddValuesShareACallback(t *testing.T) {
	leavesNoGoroutine(t)
	type key struct{}
	var m ManagedMap[int, int]
	ctx, end := context.WithCancel(context.Background())
	for i := 0; i < 100; i++ {
		m.Store(context.WithValue(ctx, key{}, i), i, i)
	}
	if n := m.bonds.Len(); n != 1 {
		t.Errorf("%d bonds with one context", n)
	}
	for i := 0; i < 99; i++ {
		m.Delete(i)
	}
	m.Store(context.Background(), 99, 99)
	if n := m.bonds.Len(); n != 0 {
		t.Errorf("%d bonds without keys are left", n)
	}
	end()
	if v, ok := m.Load(99); !ok || v != 99 {
		t.Errorf("Load = %d, %v", v, ok)
	}
}

func TestManagedMapKeepsWhatWasStoredAgain(t *testing.T) {
	leavesNoGoroutine(t)
	var m ManagedMap[string, int]
	old, end := context.WithCancel(context.Background())
	m.Store(old, "again", 1)
	m.Store(old, "once", 1)
	m.Store(context.Background(), "again", 2)
	end()
	eventually(t, "the context has called back", func() bool { return m.Len() < 2 })
	if v, ok := m.Load("again"); !ok || v != 2 {
		t.Errorf("Load = %d, %v, want 2", v, ok)
	}
}

func TestManagedMapStaleCancelKeepsTheNewerValue(t *testing.T) {
	leavesNoGoroutine(t)
	before := runtime.NumGoroutine()
	const keys = 1000
	var m ManagedMap[int, int]
	old, end := context.WithCancel(context.Background())
	for i := 0; i < keys; i++ {
		m.Store(old, i, i)
	}
	inParallel(2, func(worker int) {
		if worker == 0 {
			end()
			return
		}
		for i := 0; i < keys; i++ {
			m.Store(context.Background(), i, -i)
		}
	})
	eventually(t, "callbacks have run", func() bool { return runtime.NumGoroutine() <= before })
	for i := 0; i < keys; i++ {
		if v, ok := m.Load(i); !ok || v != -i {
			t.Fatalf("Load(%d) = %d, %v, want %d", i, v, ok, -i)
		}
	}
}

func TestManagedMapNeedsNoGoroutine(t *testing.T) {
	leavesNoGoroutine(t)
	before := runtime.NumGoroutine()
	var m ManagedMap[int, int]
	ctx, end := context.WithCancel(context.Background())
	for i := 0; i < 10_000; i++ {
		m.Store(ctx, i, i)
	}
	if more := runtime.NumGoroutine() - before; more > 0 {
		t.Errorf("%d goroutines for 10000 keys", more)
	}
	end()
	eventually(t, "all entries are removed", func() bool { return m.Len() == 0 })
}

func TestManagedMapReplacedEntriesLeaveTheContext(t *testing.T) {
	var m ManagedMap[int, [1024]byte]
	ctx, end := context.WithCancel(context.Background())
	defer end()
	before := heapAfterGC()
	for i := 0; i < 10_000; i++ {
		m.Store(ctx, i%2, [1024]byte{})
		m.Store(ctx, i%2, [1024]byte{})
		m.Delete(i % 2)
	}
	if left := heapAfterGC() - before; left > 64<<10 {
		t.Errorf("%d bytes are held for no entry of a context that goes on", left)
	}
	runtime.KeepAlive(&m)
}

func TestManagedMapStress(t *testing.T) {
	leavesNoGoroutine(t)
	before := runtime.NumGoroutine()
	var m ManagedMap[int, int]
	each := stressOps() / stressWorkers
	inParallel(stressWorkers, func(worker int) {
		ctx, end := context.WithCancel(context.Background())
		for i := 0; i < each; i++ {
			key := worker<<16 + i%256
			switch i % 4 {
			case 0:
				m.Store(ctx, key, i)
			case 3:
				m.Delete(key - 1)
			default:
				if v, ok := m.Load(key); ok && v%256 != i%256 {
					t.Errorf("key %d has value %d", key, v)
				}
			}
			if i%4096 == 4095 {
				old := end
				ctx, end = context.WithCancel(context.Background())
				old() // its callbacks race with the stores of the next round
			}
		}
		end()
		for i := 0; i < 256; i++ {
			m.Store(context.Background(), worker<<16+i, i)
		}
	})
	eventually(t, "callbacks have run", func() bool { return runtime.NumGoroutine() <= before })
	if m.Len() != stressWorkers*256 {
		t.Errorf("%d entries, want %d", m.Len(), stressWorkers*256)
	}
}

func TestManagedMapGivesMemoryBack(t *testing.T) {
	var m ManagedMap[int, int]
	ctx, end := context.WithCancel(context.Background())
	givesBack(t,
		func() {
			for i := 0; i < 200_000; i++ {
				m.Store(ctx, i, i)
			}
		},
		func() {
			for i := 0; i < 100_000; i++ {
				m.Delete(i)
			}
			end()
			eventually(t, "all entries are removed", func() bool { return m.Len() == 0 })
		})
	runtime.KeepAlive(&m)
}
