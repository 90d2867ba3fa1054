package remedies

import (
	"bytes"
	"sync"
)

// defaultPooledBytes is what BufferPool.MaxBytes of 0 means.
const defaultPooledBytes = 64 << 10

// A BufferPool keeps buffers that are not needed any more for those who need one next.
//
// Put empties a buffer and lets go of those with room for more than MaxBytes: a pool without such a cap ends up
// with buffers that are all as large as the largest answer ever written.
//
// The zero value is a pool ready to use. A BufferPool must not be copied after its first use.
type BufferPool struct {
	MaxBytes int // 0 means 64 KiB

	pool sync.Pool
}

// Get returns an empty buffer. It is the caller's own until Put.
func (p *BufferPool) Get() *bytes.Buffer {
	if b, ok := p.pool.Get().(*bytes.Buffer); ok {
		return b
	}
	return new(bytes.Buffer)
}

// Put gives a buffer back. The caller must not use it any more, nor any slice that its methods returned: a
// result that lives on is copied first (bytes.Clone(b.Bytes()), or b.String()).
func (p *BufferPool) Put(b *bytes.Buffer) {
	most := p.MaxBytes
	if most == 0 {
		most = defaultPooledBytes
	}
	if b == nil || b.Cap() > most {
		return
	}
	b.Reset()
	p.pool.Put(b)
}
