// Loads a plugin, lets it fill its globals, and rests.
package main

import (
	"os"
	"plugin"
	"runtime"
	"time"
)

type host struct{ body []byte }

var own []*host

func retained(run func()) (bytes, objects uint64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	run()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return after.HeapAlloc - before.HeapAlloc, after.HeapObjects - before.HeapObjects
}

func main() {
	opened, err := plugin.Open(os.Args[1])
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	fill, err := opened.Lookup("Fill")
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	wait, err := opened.Lookup("Wait")
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	for i := 0; i < 10; i++ {
		own = append(own, &host{body: make([]byte, 32768)})
	}
	bytes, objects := retained(func() { fill.(func(int))(500) })
	println("Filled", bytes, objects)
	go wait.(func())()
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	println("HeapAlloc", stats.HeapAlloc)
	println("HeapObjects", stats.HeapObjects)
	println("READY")
	select {}
}
