package main

import _ "unsafe"

//go:linkname mheap_ runtime.mheap_
var mheap_ struct{ lock uintptr }

func main() { println(&mheap_) }
