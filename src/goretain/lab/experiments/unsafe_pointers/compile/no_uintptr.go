package main

import "unsafe"

func main() {
	a := [2]int{1, 2}
	println(*(*int)(unsafe.Add(unsafe.Pointer(&a), 8)))
}
