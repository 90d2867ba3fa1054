package remedies

import (
	"runtime"
	"testing"
	"time"
)

const (
	// grownBytes is how much the live heap of a test process that leaks nothing may differ between two
	// measurements: the runtime's own objects, and those of other tests.
	grownBytes = 16 << 10
	// settlePatience is how long goroutines that are about to end are waited for.
	settlePatience = time.Second
)

// MustNotGrow fails the test if work leaves something behind each time it is run: heap that is still live after
// a collection, or goroutines.
//
// It measures after work has run n, 2n and 4n times. Only what grew between the first two and again between the
// last two counts, so that caches and pools may fill. Doubling is enough for tables, too, which grow by doubling:
// each time one must have grown again. A leak is seen from about 16 KiB in n runs on: take n of 1000 or more if
// work is quick. No other test may run at the same time (t.Parallel).
//
// Live bytes are compared and not allocations: how often something is allocated is the same whether it is
// freed again or not.
func MustNotGrow(tb testing.TB, n int, work func()) {
	tb.Helper()
	var bytes, goroutines [3]int
	for done, i := 0, 0; i < 3; i++ {
		for ; done < n<<i; done++ {
			work()
		}
		goroutines[i] = settledGoroutines(goroutines[max(i-1, 0)])
		bytes[i] = liveBytes()
	}
	first, second := bytes[1]-bytes[0], bytes[2]-bytes[1]
	if first > grownBytes && second > grownBytes {
		tb.Errorf("live heap grows by %.1f bytes a run: by %d in runs %d to %d, by %d in runs to %d",
			float64(second)/float64(2*n), first, n+1, 2*n, second, 4*n)
	}
	first, second = goroutines[1]-goroutines[0], goroutines[2]-goroutines[1]
	if first > 0 && second > 0 {
		tb.Errorf("goroutines are left behind: %d by runs %d to %d, %d by runs to %d",
			first, n+1, 2*n, second, 4*n)
	}
}

// liveBytes returns the bytes of heap objects that survive a collection; the second one empties the sync.Pools.
func liveBytes() int {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// settledGoroutines returns the number of goroutines when it is down to what is wanted or does not go down.
func settledGoroutines(wanted int) int {
	deadline := time.Now().Add(settlePatience)
	for wanted > 0 && runtime.NumGoroutine() > wanted && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	return runtime.NumGoroutine()
}
