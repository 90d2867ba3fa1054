package remedies

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

const (
	// collectRounds is how many collections an object may take: one, and one more for each finalizer that
	// leads to it.
	collectRounds = 8
	// collectPatience is how long the collector's goroutines are waited for; on any machine it is plenty.
	collectPatience = time.Minute
)

// MustCollect watches the object that p points to. It returns a function for the end of the test, which fails
// the test if something still holds the object then:
//
//	session := server.open()
//	mustBeGone := MustCollect(t, session)
//	server.close(session)
//	mustBeGone() // session is not used after this line, so only a leak can hold it
//	runtime.KeepAlive(server)
//
// p points to the start of an object that was allocated on the heap, of at least 16 bytes or with a pointer in
// it: smaller ones share their memory with others. Before Go 1.24 the object may have no finalizer and must not
// lead back to itself: the collector frees no cycle that has a finalizer in it.
//
// No sleep decides: each collection is known to be over, finalizers included, by an object of our own that it
// frees as well.
func MustCollect[T any](tb testing.TB, p *T) (mustBeGone func()) {
	tb.Helper()
	gone, what := onCollect(p), fmt.Sprintf("%T", p) // the function below must not hold p
	return func() {
		tb.Helper()
		for round := 0; round < collectRounds; round++ {
			if !collectOnce() {
				tb.Fatalf("finalizers have not run for %v: one of them does not return", collectPatience)
			}
			select {
			case <-gone:
				return
			default:
			}
		}
		tb.Fatalf("the %s is still alive after %d collections: something holds it", what, collectRounds)
	}
}

// collectOnce returns when the collector has freed an object of ours and told so; false: it does not.
func collectOnce() bool {
	mark := onCollect(newMark())
	for deadline := time.Now().Add(collectPatience); time.Now().Before(deadline); {
		runtime.GC()
		select {
		case <-mark:
			return true
		case <-time.After(time.Second):
		}
	}
	return false
}

// newMark returns an object that nothing holds. It is not inlined, so that no stack frame of the caller does.
//
//go:noinline
func newMark() **int {
	return new(*int)
}
