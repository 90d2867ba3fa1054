// Package assembly makes a map whose size only the program knows.
package assembly

func made(n int) map[string]int { return make(map[string]int, n) }
