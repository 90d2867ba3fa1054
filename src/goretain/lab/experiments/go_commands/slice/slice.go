package main

import "unsafe"

func main() {
	b := byte(1)
	println(len(unsafe.Slice(&b, 1)))
}
