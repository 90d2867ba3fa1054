package remedies

// An ImmutableMap is a map that never changes: any number of goroutines read it without a lock. One that is
// to be replaced as a whole, such as a configuration that is loaded again, goes into an
// atomic.Pointer[ImmutableMap[K, V]].
//
// How deep it is a copy depends on the constructor. NewImmutableMap copies keys and values: numbers, strings and
// structs of these are the map's own, but the elements of a slice, the entries of a map and whatever a pointer
// leads to are shared with the source and can be changed through it. NewImmutableMapFunc is given a function
// that copies a value, and copies as deep as that. Keys of an interface type are compared when the program runs:
// one that holds a slice or a map panics, although the compiler takes it.
//
// The zero value is an empty map.
type ImmutableMap[K comparable, V any] struct {
	entries map[K]V
}

// NewImmutableMap returns a copy of m, one level deep: what values point to is shared with m.
func NewImmutableMap[K comparable, V any](m map[K]V) ImmutableMap[K, V] {
	return NewImmutableMapFunc(m, func(value V) V { return value })
}

// NewImmutableMapFunc returns a copy of m as deep as clone copies a value: maps.Clone or slices.Clone for one level
// more, bytes.Clone for all of a []byte.
func NewImmutableMapFunc[K comparable, V any](m map[K]V, clone func(V) V) ImmutableMap[K, V] {
	entries := make(map[K]V, len(m)) // maps.Clone would copy the table as it is, however empty
	for key, value := range m {
		entries[key] = clone(value)
	}
	return ImmutableMap[K, V]{entries}
}

// Get returns the value of key, and whether there is one.
func (m ImmutableMap[K, V]) Get(key K) (value V, ok bool) {
	value, ok = m.entries[key]
	return value, ok
}

// Len returns the number of entries.
func (m ImmutableMap[K, V]) Len() int {
	return len(m.entries)
}

// Keys returns the keys in a new slice, in no order.
func (m ImmutableMap[K, V]) Keys() []K {
	keys := make([]K, 0, len(m.entries))
	for key := range m.entries {
		keys = append(keys, key)
	}
	return keys
}

// Range calls f for each entry, in no order, until f returns false.
//
// From Go 1.23 on it is an iterator: for key, value := range m.Range.
func (m ImmutableMap[K, V]) Range(f func(key K, value V) bool) {
	for key, value := range m.entries {
		if !f(key, value) {
			return
		}
	}
}
