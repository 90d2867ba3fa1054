// A program that makes garbage, for what commands and GODEBUG say about it.
package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

var kept [][]byte

func main() {
	for i := 0; i < 50; i++ {
		kept = append(kept, make([]byte, 1<<20))
	}
	kept = nil
	runtime.GC()
	debug.FreeOSMemory()
	if len(os.Args) > 9 {
		println(len(kept))
	}
}
