package remedies

import "sync"

// A MapRef is a typed map for use by several goroutines, guarded by one RWMutex.
//
// Unlike a sync.Map it boxes neither keys nor values, and Update changes a value in one step: a Load, a change
// and a Store lose what others store in between. Its table shrinks with its entries, as that of a ShrinkingMap.
//
// The zero value is an empty map, ready to use; it allocates nothing before the first Store. A MapRef must not
// be copied after its first use. Values that are pointers, slices or maps are shared with whoever loads them:
// the lock guards the map, not what values point to.
type MapRef[K comparable, V any] struct {
	mu      sync.RWMutex
	entries ShrinkingMap[K, V]
}

// Load returns the value stored under key, and whether there is one.
func (m *MapRef[K, V]) Load(key K) (value V, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.entries.Load(key)
}

// Store sets the value of key.
func (m *MapRef[K, V]) Store(key K, value V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries.Store(key, value)
}

// LoadOrStore returns the value that is there for key, or stores the one given. loaded is true if it was there.
func (m *MapRef[K, V]) LoadOrStore(key K, value V) (actual V, loaded bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if actual, loaded = m.entries.Load(key); loaded {
		return actual, true
	}
	m.entries.Store(key, value)
	return value, false
}

// LoadAndDelete removes key and returns the value that it had. loaded is true if it was there.
func (m *MapRef[K, V]) LoadAndDelete(key K) (value V, loaded bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, loaded = m.entries.Load(key)
	m.entries.Delete(key)
	return value, loaded
}

// Update stores what change makes of the value of key; ok is false, and old the zero value, if there is none.
// Nothing else happens to the map in between, so change must be quick and must not use the map.
func (m *MapRef[K, V]) Update(key K, change func(old V, ok bool) V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, ok := m.entries.Load(key)
	m.entries.Store(key, change(old, ok))
}

// Delete removes key, if it is there.
func (m *MapRef[K, V]) Delete(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries.Delete(key)
}

// Len returns the number of entries.
func (m *MapRef[K, V]) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.entries.Len()
}

// Clear removes all entries.
func (m *MapRef[K, V]) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries.Clear()
}

// Range calls f for each entry that is there when Range is called, in no order, until f returns false. No lock
// is held meanwhile, so that f may use the map. For that the entries are copied first; the copy is garbage
// when Range returns.
//
// From Go 1.23 on it is an iterator: for key, value := range m.Range.
func (m *MapRef[K, V]) Range(f func(key K, value V) bool) {
	keys, values := m.copied()
	for i, key := range keys {
		if !f(key, values[i]) {
			return
		}
	}
}

func (m *MapRef[K, V]) copied() (keys []K, values []V) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	keys = make([]K, 0, m.entries.Len())
	values = make([]V, 0, m.entries.Len())
	m.entries.Range(func(key K, value V) bool {
		keys, values = append(keys, key), append(values, value)
		return true
	})
	return keys, values
}
