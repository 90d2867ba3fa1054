// Experiment of map-holds-most: one map with most of the live heap in it.
//
//	leak   main.profiles keeps every profile it ever saw: 8192 of 1 KiB
//	fixed  the same load through a cache that evicts: 512 at most
package main

import (
	"os"
	"runtime"
	"time"
)

const (
	seen  = 8192
	limit = 512
)

type profile struct {
	user  uint64
	about [1016]byte
}

func main() {
	hint, evict := seen, false
	if len(os.Args) > 1 && os.Args[1] == "fixed" {
		hint, evict = limit+1, true
	}
	profiles = make(map[uint64]*profile, hint)
	for user := uint64(0); user < seen; user++ {
		profiles[user] = &profile{user: user}
		if evict && user >= limit {
			delete(profiles, user-limit)
		}
	}
	ready()
}

var profiles map[uint64]*profile

func ready() {
	runtime.GC()
	runtime.GC()
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
