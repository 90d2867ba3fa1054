//go:build go1.23

package main

import (
	"unique"
	"unsafe"
)

var handles []unique.Handle[body]

// uniquely makes handles; a handle is a pointer to its value.
func uniquely() {
	for i := 0; i < few; i++ {
		handles = append(handles, unique.Make(body{byte(i)}))
		println("at", "unique", *(*uintptr)(unsafe.Pointer(&handles[i])))
	}
}
