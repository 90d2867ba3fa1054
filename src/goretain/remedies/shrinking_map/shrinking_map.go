package remedies

// shrinkAbove is the number of entries up to which a table is too small to be worth replacing.
const shrinkAbove = 16

// A ShrinkingMap is a map that gives the memory of its table back when most entries have been deleted.
//
// The table of a Go map only grows: delete and clear free what keys and values point to, never the table
// itself. A ShrinkingMap moves what is left to a new table as soon as that is less than a quarter of what the
// old one has held. On average this costs a constant time for each Delete; the one that moves takes time in
// proportion to the entries left.
//
// The zero value is an empty map, ready to use. A ShrinkingMap must not be copied after its first use. Like a
// map it may be read by several goroutines at once, but not while one of them writes.
type ShrinkingMap[K comparable, V any] struct {
	entries map[K]V
	peak    int // most entries since the table was made
	moves   int // how often the table was replaced
}

// Load returns the value stored under key, and whether there is one.
func (m *ShrinkingMap[K, V]) Load(key K) (value V, ok bool) {
	value, ok = m.entries[key]
	return value, ok
}

// Store sets the value of key.
func (m *ShrinkingMap[K, V]) Store(key K, value V) {
	if m.entries == nil {
		m.entries = make(map[K]V)
	}
	m.entries[key] = value
	m.peak = max(m.peak, len(m.entries))
}

// Delete removes key, if it is there.
func (m *ShrinkingMap[K, V]) Delete(key K) {
	delete(m.entries, key)
	if m.peak > shrinkAbove && len(m.entries) < m.peak/4 {
		m.move()
	}
}

// Len returns the number of entries.
func (m *ShrinkingMap[K, V]) Len() int {
	return len(m.entries)
}

// Clear removes all entries and the table with them.
func (m *ShrinkingMap[K, V]) Clear() {
	m.entries, m.peak = nil, 0
	m.moves++
}

// Range calls f for each entry, in no order, until f returns false. f may store and delete: what it deletes
// does not come any more, what it stores may or may not come.
//
// From Go 1.23 on it is an iterator: for key, value := range m.Range.
func (m *ShrinkingMap[K, V]) Range(f func(key K, value V) bool) {
	moves := m.moves
	for key, value := range m.entries {
		if m.moves != moves { // f has deleted so much that this table is no longer the map's
			var ok bool
			if value, ok = m.entries[key]; !ok {
				continue
			}
		}
		if !f(key, value) {
			return
		}
	}
}

// move puts the entries into a table of their size.
func (m *ShrinkingMap[K, V]) move() {
	entries := make(map[K]V, len(m.entries))
	for key, value := range m.entries {
		entries[key] = value
	}
	m.entries, m.peak = entries, len(entries)
	m.moves++
}
