// Experiment of sync-map-keeps-deleted-keys: sessions that have ended, in a sync.Map.
//
//	leak   main.sessions deletes 3900 of 4000 keys
//	fixed  what is left moves to a new map
//
// Both modes keep a healthy neighbour: a sync.Map that nothing is deleted from. From Go 1.24 on a sync.Map is
// a tree that lets keys go.
package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	stored = 4000
	left   = 100
)

var (
	sessions = new(sync.Map)
	settings sync.Map
)

func name(i int) string {
	return strings.Repeat("k", 500) + strconv.Itoa(10_000+i)
}

func visit(m *sync.Map) {
	m.Range(func(any, any) bool { return true })
}

func main() {
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	for i := 0; i < stored; i++ {
		sessions.Store(name(i), &[64]byte{})
	}
	visit(sessions)
	for i := left; i < stored; i++ {
		sessions.Delete(name(i))
	}
	if fixed {
		survivors := new(sync.Map)
		sessions.Range(func(key, value any) bool {
			survivors.Store(key, value)
			return true
		})
		sessions = survivors
	}
	for i := 0; i < 400; i++ {
		settings.Store(name(i), &[4096]byte{})
	}
	visit(&settings)
	ready()
}

func ready() {
	runtime.GC()
	runtime.GC()
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
