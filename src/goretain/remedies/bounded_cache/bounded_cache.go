package remedies

import (
	"sync"
	"time"
	"unsafe"
)

// CacheLimits say how much a BoundedCache keeps and for how long. A limit of 0 is none, but one of MaxEntries and
// MaxBytes must be set.
type CacheLimits struct {
	MaxEntries int
	MaxBytes   int64         // of keys, values and the cache's own memory for them
	TTL        time.Duration // since Put
}

// A BoundedCache is a cache for use by several goroutines that drops what has not been used for longest when it
// reaches a limit of entries or of bytes, and what is older than a time to live.
//
// It starts no goroutine. What has expired is not returned any more; its memory is given back by later calls of
// Get and Put, at the latest when twice its time to live has passed since its Put, or by DeleteExpired, which
// a cache that may lie idle can call from a ticker.
//
// A BoundedCache is made by NewBoundedCache.
type BoundedCache[K comparable, V any] struct {
	limits CacheLimits
	size   func(K, V) int64
	clock  func() time.Duration // since the cache was made

	mu    sync.Mutex
	nodes ShrinkingMap[K, *cacheNode[K, V]]
	ring  cacheNode[K, V] // ring.next was used last, ring.prev longest ago
	bytes int64
}

type cacheNode[K comparable, V any] struct {
	key        K
	value      V
	bytes      int64
	expires    time.Duration
	prev, next *cacheNode[K, V]
}

// NewBoundedCache returns an empty cache. size says how many bytes key and value hold beside themselves: the
// length of a string, the capacity of a slice, the size of what a pointer leads to; nil says none. It must say
// the same as long as they are in the cache: what is in it must not grow.
//
// It panics if neither MaxEntries nor MaxBytes is set: a cache without bounds is a leak.
func NewBoundedCache[K comparable, V any](limits CacheLimits, size func(key K, value V) int64) *BoundedCache[K, V] {
	if limits.MaxEntries <= 0 && limits.MaxBytes <= 0 {
		panic("NewBoundedCache: neither MaxEntries nor MaxBytes is set")
	}
	made := time.Now()
	c := &BoundedCache[K, V]{limits: limits, size: size, clock: func() time.Duration { return time.Since(made) }}
	c.ring.prev, c.ring.next = &c.ring, &c.ring
	return c
}

// Get returns the value of key and whether there is one that has not expired, and counts as its use.
func (c *BoundedCache[K, V]) Get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trim()
	node, ok := c.nodes.Load(key)
	if !ok {
		return value, false
	}
	if c.expired(node) {
		c.remove(node)
		return value, false
	}
	node.unlink()
	node.linkAfter(&c.ring)
	return node.value, true
}

// Put stores a value under key, in place of the one that is there, and drops others where that is over a limit.
// It reports whether the value was stored: one that is larger than MaxBytes alone is not.
func (c *BoundedCache[K, V]) Put(key K, value V) bool {
	node := &cacheNode[K, V]{key: key, value: value, bytes: c.cost(key, value)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.nodes.Load(key); ok {
		c.remove(old)
	}
	if c.limits.MaxBytes > 0 && node.bytes > c.limits.MaxBytes {
		return false
	}
	node.expires = c.clock() + c.limits.TTL
	c.nodes.Store(key, node)
	node.linkAfter(&c.ring)
	c.bytes += node.bytes
	c.trim()
	return true
}

// Delete removes key, if it is there.
func (c *BoundedCache[K, V]) Delete(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if node, ok := c.nodes.Load(key); ok {
		c.remove(node)
	}
}

// DeleteExpired removes everything that has expired.
func (c *BoundedCache[K, V]) DeleteExpired() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for node := c.ring.prev; node != &c.ring; {
		older := node
		node = node.prev
		if c.expired(older) {
			c.remove(older)
		}
	}
}

// Len returns the number of entries, expired ones that are still kept among them.
func (c *BoundedCache[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes.Len()
}

// Bytes returns what the entries are counted as, never more than MaxBytes.
func (c *BoundedCache[K, V]) Bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// trim drops from the end what is over a limit or has expired.
func (c *BoundedCache[K, V]) trim() {
	for node := c.ring.prev; node != &c.ring && (c.full() || c.expired(node)); node = c.ring.prev {
		c.remove(node)
	}
}

func (c *BoundedCache[K, V]) full() bool {
	return c.limits.MaxEntries > 0 && c.nodes.Len() > c.limits.MaxEntries ||
		c.limits.MaxBytes > 0 && c.bytes > c.limits.MaxBytes
}

func (c *BoundedCache[K, V]) expired(node *cacheNode[K, V]) bool {
	return c.limits.TTL > 0 && c.clock() >= node.expires
}

func (c *BoundedCache[K, V]) remove(node *cacheNode[K, V]) {
	c.nodes.Delete(node.key)
	node.unlink()
	c.bytes -= node.bytes
}

// cost is what an entry takes at most: its node with what allocation rounds up, its share of a table that is
// nearly two thirds empty and being replaced by one of that size, and what key and value hold.
func (c *BoundedCache[K, V]) cost(key K, value V) int64 {
	var node cacheNode[K, V]
	slot := unsafe.Sizeof(key) + unsafe.Sizeof(&node)
	own := int64(unsafe.Sizeof(node)*9/8 + 6*slot)
	if c.size == nil {
		return own
	}
	return own + c.size(key, value)
}

func (n *cacheNode[K, V]) linkAfter(other *cacheNode[K, V]) {
	n.prev, n.next = other, other.next
	n.prev.next, n.next.prev = n, n
}

func (n *cacheNode[K, V]) unlink() {
	n.prev.next, n.next.prev = n.next, n.prev
}
