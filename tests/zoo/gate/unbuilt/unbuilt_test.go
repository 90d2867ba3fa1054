// Package unbuilt does not compile.
package unbuilt

import "testing"

func BenchmarkX(b *testing.B) { undefined() }
