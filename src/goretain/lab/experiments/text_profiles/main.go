// Two heap profiles of one program, as text and as they are meant: what a tool makes of both.
package main

import (
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"

	"lab/measure"
)

var kept [][]byte

//go:noinline
func keep(pages int) {
	for i := 0; i < pages; i++ {
		kept = append(kept, make([]byte, 1<<20))
	}
}

func write(name string, debug int) {
	runtime.GC()
	runtime.GC()
	file, err := os.Create(name)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if err := pprof.Lookup("heap").WriteTo(file, debug); err != nil {
		panic(err)
	}
}

func main() {
	runtime.MemProfileRate = 1
	for look, pages := range []int{4, 6} {
		keep(pages)
		write("look"+strconv.Itoa(look)+".txt", 1)
		write("look"+strconv.Itoa(look)+".pb.gz", 0)
	}
	measure.Print("kept_pages", len(kept))
}
