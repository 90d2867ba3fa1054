package main

type reader[K comparable, V any] interface{ Get(key K) (V, bool) }

type frozen[K comparable, V any] struct{ data map[K]V }

func frozenOf[K comparable, V any](m map[K]V) reader[K, V] { return &frozen[K, V]{m} }

func main() { frozenOf(map[string]int{}) }
