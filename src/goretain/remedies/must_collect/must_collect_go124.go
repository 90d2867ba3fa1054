//go:build go1.24

package remedies

import "runtime"

// onCollect returns a channel that is closed when the object is collected. Cleanups, unlike finalizers, may be
// several on one object.
func onCollect[T any](p *T) <-chan struct{} {
	gone := make(chan struct{})
	runtime.AddCleanup(p, func(gone chan struct{}) { close(gone) }, gone)
	return gone
}
