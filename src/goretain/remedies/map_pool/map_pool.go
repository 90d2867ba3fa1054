package remedies

import "sync"

// defaultPooledEntries is what MapPool.MaxEntries of 0 means.
const defaultPooledEntries = 1024

// A MapPool keeps maps that are not needed any more for those who need one next, so that a map for each request
// need not be allocated and grown each time.
//
// Put empties a map, so that nobody sees, or keeps alive, what the last user stored; and it lets go of maps with
// more than MaxEntries entries, whose tables would never become smaller and would make every later Put slow. It
// cannot see how large a map has been: do not empty a map before you Put it.
//
// The zero value is a pool ready to use. A MapPool must not be copied after its first use.
type MapPool[K comparable, V any] struct {
	MaxEntries int // 0 means 1024

	pool sync.Pool
}

// Get returns an empty map. It is the caller's own until Put.
func (p *MapPool[K, V]) Get() map[K]V {
	if m, ok := p.pool.Get().(map[K]V); ok {
		return m
	}
	return make(map[K]V)
}

// Put gives a map back. The caller must not use it any more, nor have given it to anybody who does.
func (p *MapPool[K, V]) Put(m map[K]V) {
	most := p.MaxEntries
	if most == 0 {
		most = defaultPooledEntries
	}
	if m == nil || len(m) > most {
		return
	}
	clear(m)
	p.pool.Put(m)
}
