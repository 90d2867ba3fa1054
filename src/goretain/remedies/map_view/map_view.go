package remedies

import "maps"

// A MapView lets others read a map and not change it: an owner returns MapView[K, V] where it would return its
// map. It is as large as a pointer, copies nothing and shows later changes by the owner.
//
// The view guards the table, not what values point to: elements of a slice can be changed through it. Readers
// must not read while the owner writes; an owner that goes on writing needs a lock (MapRef) or hands out copies
// (ImmutableMap).
//
// The zero value is a view of an empty map.
type MapView[K comparable, V any] struct {
	entries map[K]V
}

// ViewOf returns a view of m.
func ViewOf[K comparable, V any](m map[K]V) MapView[K, V] {
	return MapView[K, V]{m}
}

// Get returns the value of key, and whether there is one.
func (v MapView[K, V]) Get(key K) (value V, ok bool) {
	value, ok = v.entries[key]
	return value, ok
}

// Len returns the number of entries.
func (v MapView[K, V]) Len() int {
	return len(v.entries)
}

// Range calls f for each entry, in no order, until f returns false.
//
// From Go 1.23 on it is an iterator: for key, value := range v.Range.
func (v MapView[K, V]) Range(f func(key K, value V) bool) {
	for key, value := range v.entries {
		if !f(key, value) {
			return
		}
	}
}

// Clone returns a map of the same entries that is the caller's own; what values point to is shared.
func (v MapView[K, V]) Clone() map[K]V {
	return maps.Clone(v.entries)
}
