//go:build go1.24

package main

import (
	"runtime"
	"unsafe"
	"weak"
)

var (
	files []*[64]byte
	weaks []weak.Pointer[body]
	kept  []*body
)

func release(b *body) { sink += int(b[0]) }

// cleaned attaches cleanups to objects that stay: their arguments are kept for them.
func cleaned() {
	for i := 0; i < few; i++ {
		file := new([64]byte)
		files = append(files, file)
		runtime.AddCleanup(file, release, made("argument"))
		captured := made("cleanup")
		runtime.AddCleanup(file, func(n int) { sink += n + int(captured[0]) }, i)
	}
}

// weakly makes weak pointers to objects that something else keeps.
func weakly() {
	for i := 0; i < few; i++ {
		b := made("weakly")
		kept = append(kept, b)
		weaks = append(weaks, weak.Make(b))
	}
}

// dropped makes weak pointers to what nothing keeps; no collection follows.
//
//go:noinline
func dropped() {
	for i := 0; i < few; i++ {
		weaks = append(weaks, weak.Make(made("dropped")))
	}
	clear(uintptr(unsafe.Pointer(&sink)))
}

//go:noinline
func clear(n uintptr) (sum uintptr) {
	var filler [512]uintptr
	filler[n%512] = n
	for _, f := range filler {
		sum += f
	}
	return sum
}
