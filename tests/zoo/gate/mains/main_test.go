package main

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv("GATELAB_ENDS") != "" {
		os.Exit(0)
	}
	kept = make([]*[64]byte, 10)
	code := m.Run()
	kept = nil
	os.Exit(code)
}

//gate:grows
func BenchmarkInside(b *testing.B) {
	for i := 0; i < b.N; i++ {
		keep()
	}
}
