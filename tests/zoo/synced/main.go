// Command synced keeps 8192 sessions of 1 KiB in a sync.Map without a limit.
package main

import (
	"os"
	"runtime"
	"sync"
	"time"
)

type session struct{ data [1024]byte }

var sessions sync.Map

func main() {
	for i := 0; i < 8192; i++ {
		sessions.Store(i, new(session))
	}
	runtime.GC()
	runtime.GC()
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
