// Command growing leaks at a steady pace from the moment it is READY: 64 KiB into a map and one parked goroutine
// every 20 ms. Beside them are a cache that was full before and garbage that is not kept.
package main

import (
	"runtime"
	"time"
)

type upload struct {
	number int
	body   []byte
}

var (
	hoard    = map[int]*upload{}
	settled  = map[int]*upload{}
	never    = make(chan struct{})
	rubbish  []byte
	finished = 64
)

func waiter(ready chan<- struct{}) {
	close(ready)
	<-never
}

func main() {
	for n := 0; n < finished; n++ {
		settled[n] = &upload{n, make([]byte, 16<<10)}
	}
	runtime.GC()
	println("READY")
	for n := 0; ; n++ {
		hoard[n] = &upload{n, make([]byte, 64<<10)}
		ready := make(chan struct{})
		go waiter(ready)
		<-ready
		rubbish = make([]byte, 32<<10)
		if n%8 == 0 {
			runtime.GC()
		}
		time.Sleep(20 * time.Millisecond)
	}
}
