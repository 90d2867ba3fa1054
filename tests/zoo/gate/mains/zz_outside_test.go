package main_test

import "testing"

var outside []*[64]byte

//gate:grows
func BenchmarkOutside(b *testing.B) {
	for i := 0; i < b.N; i++ {
		outside = append(outside, new([64]byte))
	}
}
