// Package hidden has benchmarks whose results are not where one looks for them.
package hidden

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

var kept []*[64]byte

// TestMain runs everything twice.
func TestMain(m *testing.M) {
	if code := m.Run(); code != 0 {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func keep(b *testing.B) {
	for i := 0; i < b.N; i++ {
		kept = append(kept, new([64]byte))
	}
}

//gate:grows
func BenchmarkNoTime(b *testing.B) {
	keep(b)
	b.ReportMetric(0, "ns/op")
}

//gate:grows
func BenchmarkClockNeverRan(b *testing.B) {
	b.StopTimer()
	keep(b)
	b.ResetTimer()
}

//gate:grows
func BenchmarkPrints(b *testing.B) {
	if b.N == 1 {
		fmt.Println(strings.Repeat("x", 5<<20))
		fmt.Print("BenchmarkOther\t       1\t         3.000 ns/op\nno end of line")
	}
	keep(b)
}

//gate:failed
func BenchmarkRecordsLess(b *testing.B) {
	runtime.MemProfileRate = 512 << 10
	keep(b)
}

//gate:failed
func BenchmarkExits(b *testing.B) { os.Exit(3) }

func BenchmarkParts(b *testing.B) {
	//gate:grows
	b.Run("leaks", keep)
	//gate:failed
	b.Run("fails", func(b *testing.B) { b.Fatal("on purpose") })
	//gate:skipped
	b.Run("skips", func(b *testing.B) { b.Skip("on purpose") })
}
