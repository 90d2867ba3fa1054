//go:build go1.24

package main

import "runtime"

type file struct {
	handle *handle
	page   [size]byte
}

type handle struct {
	number int
	owner  *file
}

func closeHandle(h *handle)  { sink += h.number }
func closeNumber(number int) { sink += number }

// forget leads back to its file through what it captured.
func forget(h *handle) func(int) {
	return func(number int) { sink += number + h.number }
}

//go:noinline
func openFile(number int, fixed bool) {
	f := &file{handle: &handle{number: number}}
	f.handle.owner = f
	switch {
	case fixed:
		runtime.AddCleanup(f, closeNumber, number)
	case number%2 == 0:
		runtime.AddCleanup(f, closeHandle, f.handle)
	default:
		runtime.AddCleanup(f, forget(f.handle), number)
	}
}

func files(fixed bool) {
	for i := 0; i < closed; i++ {
		openFile(i, fixed)
	}
}
