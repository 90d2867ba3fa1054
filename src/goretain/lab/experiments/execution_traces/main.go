// An execution trace of goroutines that share a map under a lock, and then allocate.
package main

import (
	"os"
	"runtime"
	"runtime/trace"
	"sync"

	"lab/measure"
)

var (
	shared = map[int]int{}
	sink   map[int]int
)

func main() {
	file, err := os.Create("trace.out")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if err := trace.Start(file); err != nil {
		panic(err)
	}
	var lock sync.Mutex
	var group sync.WaitGroup
	for w := 0; w < 8; w++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := 0; i < 400; i++ {
				lock.Lock()
				shared[i] = i
				if i%10 == 0 {
					runtime.Gosched()
				}
				lock.Unlock()
			}
		}()
	}
	group.Wait()
	for i := 0; i < 100; i++ {
		sink = make(map[int]int, 10_000)
	}
	runtime.GC()
	trace.Stop()
	measure.Print("entries", len(shared))
}
