package remedies

import (
	"fmt"
	"maps"
	"sync"
	"testing"
)

func TestMapView(t *testing.T) {
	var empty MapView[string, int]
	if _, ok := empty.Get("a"); ok || empty.Len() != 0 || empty.Clone() != nil {
		t.Error("the zero value is not empty")
	}
	owned := map[string]int{"a": 1, "b": 2}
	view := ViewOf(owned)
	owned["c"] = 3
	if v, ok := view.Get("c"); !ok || v != 3 || view.Len() != 3 {
		t.Errorf("Get = %d, %v; a change by the owner is not seen", v, ok)
	}
	copied := view.Clone()
	copied["a"] = 100
	if v, _ := view.Get("a"); v != 1 {
		t.Error("Clone shares its table with the map")
	}
	got := make(map[string]int)
	view.Range(func(key string, value int) bool { got[key] = value; return true })
	if !maps.Equal(got, owned) {
		t.Errorf("Range gives %v", got)
	}
	calls := 0
	view.Range(func(string, int) bool { calls++; return false })
	if calls != 1 {
		t.Errorf("Range goes on after false: %d calls", calls)
	}
}

func TestMapViewIsReadInParallel(t *testing.T) {
	owned := make(map[int]int)
	for i := 0; i < 1000; i++ {
		owned[i] = i
	}
	view := ViewOf(owned)
	each := stressOps() / stressWorkers
	inParallel(stressWorkers, func(int) {
		for i := 0; i < each; i++ {
			if v, ok := view.Get(i % 1000); !ok || v != i%1000 {
				t.Errorf("Get(%d) = %d, %v", i%1000, v, ok)
				return
			}
		}
	})
}

// boxedReader is the form that is often shown: an interface over a sync.Map.
type boxedReader interface {
	Get(key any) (any, bool)
}

type boxedView struct{ m *sync.Map }

func (v boxedView) Get(key any) (any, bool) { return v.m.Load(key) }

// boxed is a variable so that the compiler does not know what is in the interface, as in most programs.
var boxed boxedReader

// Reads of keys that are no constants, and what it costs to share 10000 entries.
func BenchmarkMapView(b *testing.B) {
	const entries = 10_000
	var keys [256]string
	owned := make(map[string]int)
	for i := range keys {
		keys[i] = fmt.Sprintf("user-%d", i)
		owned[keys[i]] = i
	}
	large := make(map[int]int)
	for i := 0; i < entries; i++ {
		large[i] = i
	}
	b.Run("get/remedy", func(b *testing.B) {
		b.ReportAllocs()
		view := ViewOf(owned)
		for i := 0; i < b.N; i++ {
			view.Get(keys[i&255])
		}
	})
	b.Run("get/naive", func(b *testing.B) {
		b.ReportAllocs()
		var m sync.Map
		for key, value := range owned {
			m.Store(key, value)
		}
		boxed = boxedView{&m}
		for i := 0; i < b.N; i++ {
			boxed.Get(keys[i&255])
		}
	})
	b.Run("share/remedy", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; i < b.N; i++ {
			if ViewOf(large).Len() != entries {
				b.Fatal("lost")
			}
		}
	})
	b.Run("share/naive", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; i < b.N; i++ {
			if len(maps.Clone(large)) != entries {
				b.Fatal("lost")
			}
		}
	})
}
