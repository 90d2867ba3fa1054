//go:build go1.24

package kinds

import "testing"

//gate:grows 64
func BenchmarkLoop(b *testing.B) {
	for b.Loop() {
		chain = &node{next: chain}
	}
}

//gate:settles
func BenchmarkLoopClean(b *testing.B) {
	for b.Loop() {
		sink = &node{}
	}
}
