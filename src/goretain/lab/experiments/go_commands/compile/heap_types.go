package main

import "runtime"

var h runtime.MHeap

func main() { println(&h) }
