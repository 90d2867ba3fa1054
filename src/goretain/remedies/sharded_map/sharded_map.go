package remedies

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
)

// A ShardedMap is a map for use by many goroutines at once, cut into shards with a lock each.
//
// It pays where goroutines on many cores write to one map and a profile shows that they wait for its lock; else
// a MapRef is smaller and faster. The number of shards can be changed while the map is in use (Resize): shards
// move one at a time, and a reader or writer that comes to a shard that has moved goes on to where it went, so
// that no write is lost and only users of the shard that is moving wait. Tables shrink with their entries, as
// that of a ShrinkingMap.
//
// A ShardedMap is made by NewShardedMap.
type ShardedMap[K comparable, V any] struct {
	hash     func(maphash.Seed, K) uint64
	seed     maphash.Seed
	table    atomic.Pointer[shardTable[K, V]]
	resizing sync.Mutex
}

// A shardTable has a power of two of shards; the low bits of a hash choose among them.
type shardTable[K comparable, V any] struct {
	shards []mapShard[K, V]
	mask   uint64
}

type mapShard[K comparable, V any] struct {
	mu      sync.Mutex
	entries ShrinkingMap[K, V]
	next    *shardTable[K, V] // where the entries are when this shard has moved
	_       [24]byte          // fills a cache line of 64 bytes, so that neighbours do not slow each other
}

// NewShardedMap returns an empty map of at least so many shards, rounded up to a power of two; 0 takes four for
// each processor. hash is maphash.String for strings, HashInteger for integers and, from Go 1.24 on,
// maphash.Comparable for any key.
func NewShardedMap[K comparable, V any](shards int, hash func(maphash.Seed, K) uint64) *ShardedMap[K, V] {
	m := &ShardedMap[K, V]{hash: hash, seed: maphash.MakeSeed()}
	m.table.Store(newShardTable[K, V](shards))
	return m
}

func newShardTable[K comparable, V any](shards int) *shardTable[K, V] {
	if shards <= 0 {
		shards = 4 * runtime.GOMAXPROCS(0)
	}
	count := 1 << bits.Len(uint(shards-1))
	return &shardTable[K, V]{shards: make([]mapShard[K, V], count), mask: uint64(count - 1)}
}

// HashInteger is a hash of integers for NewShardedMap.
func HashInteger[K ~int | ~int8 | ~int16 | ~int32 | ~int64 |
	~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr](seed maphash.Seed, key K) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(key))
	return maphash.Bytes(seed, b[:])
}

// Load returns the value stored under key, and whether there is one.
func (m *ShardedMap[K, V]) Load(key K) (value V, ok bool) {
	shard := m.locked(key)
	defer shard.mu.Unlock()
	return shard.entries.Load(key)
}

// Store sets the value of key.
func (m *ShardedMap[K, V]) Store(key K, value V) {
	shard := m.locked(key)
	defer shard.mu.Unlock()
	shard.entries.Store(key, value)
}

// LoadOrStore returns the value that is there for key, or stores the one given. loaded is true if it was there.
func (m *ShardedMap[K, V]) LoadOrStore(key K, value V) (actual V, loaded bool) {
	shard := m.locked(key)
	defer shard.mu.Unlock()
	if actual, loaded = shard.entries.Load(key); loaded {
		return actual, true
	}
	shard.entries.Store(key, value)
	return value, false
}

// Update stores what change makes of the value of key; ok is false, and old the zero value, if there is none.
// Nothing else happens to key in between, so change must be quick and must not use the map.
func (m *ShardedMap[K, V]) Update(key K, change func(old V, ok bool) V) {
	shard := m.locked(key)
	defer shard.mu.Unlock()
	old, ok := shard.entries.Load(key)
	shard.entries.Store(key, change(old, ok))
}

// Delete removes key, if it is there.
func (m *ShardedMap[K, V]) Delete(key K) {
	shard := m.locked(key)
	defer shard.mu.Unlock()
	shard.entries.Delete(key)
}

// Len returns the number of entries. It waits for a Resize.
func (m *ShardedMap[K, V]) Len() (entries int) {
	m.each(func(shard *ShrinkingMap[K, V]) { entries += shard.Len() })
	return entries
}

// Range calls f for each entry, in no order, until f returns false. No lock is held meanwhile, so that f may use
// the map. For that the entries are copied first, shard by shard; the copy is garbage when Range returns. What
// others store or delete while it is being made may or may not come. It waits for a Resize.
//
// From Go 1.23 on it is an iterator: for key, value := range m.Range.
func (m *ShardedMap[K, V]) Range(f func(key K, value V) bool) {
	var keys []K
	var values []V
	m.each(func(shard *ShrinkingMap[K, V]) {
		shard.Range(func(key K, value V) bool {
			keys, values = append(keys, key), append(values, value)
			return true
		})
	})
	for i, key := range keys {
		if !f(key, values[i]) {
			return
		}
	}
}

// Resize changes the number of shards, rounded up to a power of two, while the map is in use; 0 takes four for
// each processor.
func (m *ShardedMap[K, V]) Resize(shards int) {
	m.resizing.Lock()
	defer m.resizing.Unlock()
	from, to := m.table.Load(), newShardTable[K, V](shards)
	if from.mask == to.mask {
		return
	}
	for i := range from.shards {
		m.move(&from.shards[i], to)
	}
	m.table.Store(to) // until here from leads to it
}

// move sends the entries of a shard to their new places, and whoever comes for them.
func (m *ShardedMap[K, V]) move(shard *mapShard[K, V], to *shardTable[K, V]) {
	shard.mu.Lock()
	defer shard.mu.Unlock()
	shard.entries.Range(func(key K, value V) bool {
		place := to.of(m.hash(m.seed, key))
		place.mu.Lock() // never deadlocks: nobody who has a lock waits for one of an older table
		place.entries.Store(key, value)
		place.mu.Unlock()
		return true
	})
	shard.entries.Clear()
	shard.next = to
}

// locked returns the shard of key, locked.
func (m *ShardedMap[K, V]) locked(key K) *mapShard[K, V] {
	hash := m.hash(m.seed, key)
	for table := m.table.Load(); ; {
		shard := table.of(hash)
		shard.mu.Lock()
		if table = shard.next; table == nil {
			return shard
		}
		shard.mu.Unlock()
	}
}

// each calls f for the entries of each shard, locked, while none moves.
func (m *ShardedMap[K, V]) each(f func(shard *ShrinkingMap[K, V])) {
	m.resizing.Lock()
	defer m.resizing.Unlock()
	shards := m.table.Load().shards
	for i := range shards {
		shards[i].mu.Lock()
		f(&shards[i].entries)
		shards[i].mu.Unlock()
	}
}

// of returns the shard for a hash.
func (t *shardTable[K, V]) of(hash uint64) *mapShard[K, V] {
	return &t.shards[hash&t.mask]
}
