package remedies

import (
	"strings"
	"testing"
)

var (
	grownList  [][]byte
	grownTable map[int]int
)

func TestMustNotGrowPasses(t *testing.T) {
	cache := make(map[int][]byte)
	run := 0
	checks := map[string]func(){
		"allocation": func() { grownList = [][]byte{make([]byte, 4096)} },
		"cache": func() {
			cache[run%1500] = make([]byte, 1024) // full after 1500 runs
			run++
		},
		"goroutines": func() {
			done := make(chan struct{})
			go close(done)
			<-done
		},
	}
	for name, work := range checks {
		if failure := failureOf(t, func(tb testing.TB) { MustNotGrow(tb, 1000, work) }); failure != "" {
			t.Errorf("%s: %s", name, failure)
		}
	}
}

func TestMustNotGrowFindsALeak(t *testing.T) {
	defer func() { grownList, grownTable = nil, nil }()
	grownList, grownTable = nil, make(map[int]int)
	stop := make(chan struct{})
	defer close(stop)
	next := 0
	checks := map[string]struct {
		work func()
		want string
	}{
		"list":  {func() { grownList = append(grownList, make([]byte, 100)) }, "live heap grows by"},
		"table": {func() { grownTable[next] = next; next++ }, "live heap grows by"},
		"goroutines": {func() {
			go func() { <-stop }()
		}, "goroutines are left behind: 2000 by runs 2001 to 4000, 4000 by runs to 8000"},
	}
	for name, check := range checks {
		if failure := failureOf(t, func(tb testing.TB) { MustNotGrow(tb, 2000, check.work) }); !strings.Contains(failure, check.want) {
			t.Errorf("%s: it says %q", name, failure)
		}
	}
}

// Work that leaves nothing: the figure is what a check costs, work included.
func BenchmarkMustNotGrow(b *testing.B) {
	work := func() { grownList = [][]byte{make([]byte, 64)} }
	b.Run("check/remedy", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			MustNotGrow(b, 1000, work)
		}
	})
	b.Run("check/naive", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			if first, last := testing.AllocsPerRun(2000, work), testing.AllocsPerRun(2000, work); last > first*1.05 {
				b.Fatal("allocations grow")
			}
		}
	})
}
