//go:build go1.24

package main

import "runtime"

func closeBuffer(buffer *[size]byte) {
	if fixed {
		go goodbye()
		return
	}
	goodbye()
	sink += len(buffer)
}

//go:noinline
func dial(number int) {
	c := &conn{number: number, buffer: new([size]byte)}
	runtime.AddCleanup(c, closeBuffer, c.buffer)
}

// cleanups says how many of them will run: none in Go 1.24, where they wait for the finalizers.
func cleanups() int64 {
	for i := 0; i < connections; i++ {
		dial(i)
	}
	return running
}
