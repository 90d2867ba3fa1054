package main

type reader[K comparable, V any] interface{ Get(key K) (V, bool) }

type frozen[K comparable, V any] struct{ data map[K]V }

func main() {
	var r reader[string, int]
	var m map[string]int = r
	_ = m
}
