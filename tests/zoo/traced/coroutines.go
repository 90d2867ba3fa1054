//go:build go1.23

package main

import "iter"

// coroutines switches between goroutines without the scheduler: to and fro, and away for good at the end.
func coroutines() {
	next, stop := iter.Pull(func(yield func(int) bool) {
		for i := 0; i < 3 && yield(i); i++ {
		}
	})
	defer stop()
	for _, more := next(); more; _, more = next() {
	}
}
