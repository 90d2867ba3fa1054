package remedies

import (
	"maps"
	"runtime"
	"testing"
)

func TestShrinkingMapZeroValue(t *testing.T) {
	var m ShrinkingMap[string, int]
	m.Delete("a")
	m.Clear()
	if _, ok := m.Load("a"); ok || m.Len() != 0 {
		t.Error("an empty map has entries")
	}
	m.Store("a", 1)
	if v, ok := m.Load("a"); !ok || v != 1 {
		t.Errorf("Load = %d, %v", v, ok)
	}
}

func TestShrinkingMapGivesItsTableBack(t *testing.T) {
	const entries = 200_000
	var m ShrinkingMap[int, int]
	givesBack(t,
		func() {
			for i := 0; i < entries; i++ {
				m.Store(i, i)
			}
		},
		func() {
			for i := 0; i < entries; i++ {
				m.Delete(i)
			}
		})
	runtime.KeepAlive(&m)
}

func TestShrinkingMapMovesSeldom(t *testing.T) {
	const entries = 1 << 16
	var m ShrinkingMap[int, int]
	for i := 0; i < entries; i++ {
		m.Store(i, i)
	}
	for i := 0; i < entries; i++ {
		m.Delete(i)
	}
	if m.moves > 7 { // 65536 / 4^7 is below shrinkAbove
		t.Errorf("the entries moved %d times", m.moves)
	}
}

func TestShrinkingMapRangeWhileDeleting(t *testing.T) {
	const entries = 10_000
	var m ShrinkingMap[int, int]
	for i := 0; i < entries; i++ {
		m.Store(i, i)
	}
	seen := 0
	m.Range(func(key, value int) bool {
		if key != value {
			t.Fatalf("entry %d has value %d", key, value)
		}
		if _, ok := m.Load(key); !ok {
			t.Fatalf("entry %d comes although it was deleted", key)
		}
		m.Delete(key)
		m.Delete(entries - 1 - key)
		seen++
		return true
	})
	if seen != entries/2 || m.Len() != 0 {
		t.Errorf("%d entries came, %d are left", seen, m.Len())
	}
}

func FuzzShrinkingMap(f *testing.F) {
	f.Add([]byte("store and delete some, and then some more"))
	f.Fuzz(func(t *testing.T, steps []byte) {
		var m ShrinkingMap[byte, int]
		want := make(map[byte]int)
		for i, step := range steps {
			switch key := step >> 2; {
			case step == 0xff:
				m.Clear()
				clear(want)
			case step&3 == 0:
				m.Delete(key)
				delete(want, key)
			default:
				m.Store(key, i)
				want[key] = i
			}
		}
		got := make(map[byte]int)
		m.Range(func(key byte, value int) bool {
			got[key] = value
			return true
		})
		if !maps.Equal(got, want) || m.Len() != len(want) {
			t.Errorf("Range gives %v, Len %d; want %v", got, m.Len(), want)
		}
	})
}

// A burst of entries, of which a hundred are left.
func BenchmarkShrinkingMap(b *testing.B) {
	const burst, left = 100_000, 100
	b.Run("burst/remedy", func(b *testing.B) {
		b.ReportAllocs()
		fill := func() any {
			m := new(ShrinkingMap[int, int])
			for i := 0; i < burst; i++ {
				m.Store(i, i)
			}
			for i := left; i < burst; i++ {
				m.Delete(i)
			}
			return m
		}
		for i := 0; i < b.N; i++ {
			fill()
		}
		reportHeld(b, fill)
	})
	b.Run("burst/naive", func(b *testing.B) {
		b.ReportAllocs()
		fill := func() any {
			m := make(map[int]int)
			for i := 0; i < burst; i++ {
				m[i] = i
			}
			for i := left; i < burst; i++ {
				delete(m, i)
			}
			return m
		}
		for i := 0; i < b.N; i++ {
			fill()
		}
		reportHeld(b, fill)
	})
}
