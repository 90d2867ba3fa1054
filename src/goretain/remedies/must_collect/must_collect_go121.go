//go:build !go1.24

package remedies

import "runtime"

// onCollect returns a channel that is closed when the object is collected.
func onCollect[T any](p *T) <-chan struct{} {
	gone := make(chan struct{})
	runtime.SetFinalizer(p, func(*T) { close(gone) })
	return gone
}
