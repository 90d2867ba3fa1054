// Package broken has benchmarks that cannot be measured, and one that can.
package broken

import (
	"os"
	"testing"
	"time"
)

var kept []*[64]byte

//gate:failed
func BenchmarkFails(b *testing.B) { b.Fatal("on purpose") }

//gate:failed
func BenchmarkPanics(b *testing.B) { panic("on purpose") }

//gate:failed
func BenchmarkPanicsLater(b *testing.B) {
	if b.N > 100 {
		panic("too many")
	}
}

//gate:failed
func BenchmarkExits(b *testing.B) { os.Exit(0) }

//gate:undecided
func BenchmarkSlow(b *testing.B) {
	for i := 0; i < b.N; i++ {
		time.Sleep(100 * time.Millisecond)
	}
}

//gate:grows 64
func BenchmarkLeaks(b *testing.B) {
	for i := 0; i < b.N; i++ {
		kept = append(kept, new([64]byte))
	}
}
