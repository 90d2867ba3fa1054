// Command guarded keeps a key and lets nobody of its own user read its memory: prctl(PR_SET_DUMPABLE, 0).
package main

import (
	"runtime"
	"syscall"
	"time"
)

var key = make([]byte, 1<<20)

func main() {
	if _, _, failed := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0); failed != 0 {
		panic(failed)
	}
	key[0] = 1
	println("READY")
	time.Sleep(time.Hour)
	runtime.KeepAlive(key)
}
