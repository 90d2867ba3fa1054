//go:build go1.24

package main

import (
	"runtime"
	"time"
	"weak"
)

type cleanupArgument struct {
	pad [30]int64
	ref *payload
}

var (
	cleaned   []*[64]byte
	weakLive  []weak.Pointer[event]
	weakDead  []weak.Pointer[event]
	keptAlive []*event
)

// buildNewer makes what came with Go 1.24: cleanups and weak pointers.
func buildNewer() {
	for i := 0; i < 40; i++ {
		object := new([64]byte)
		cleaned = append(cleaned, object)
		runtime.AddCleanup(object, func(a *cleanupArgument) { a.ref = nil }, &cleanupArgument{ref: newPayload(i)})
		kept := newEvent(i)
		keptAlive = append(keptAlive, kept)
		weakLive = append(weakLive, weak.Make(kept))
		weakDead = append(weakDead, weak.Make(newEvent(i)))
	}
}

// stuckCleanups leaves a queue of cleanups behind those that do not return.
func stuckCleanups() {
	for i := 0; i < 200; i++ {
		runtime.AddCleanup(newEvent(i), func(a *cleanupArgument) { <-never; a.ref = nil }, &cleanupArgument{ref: newPayload(i)})
	}
	runtime.GC()
	time.Sleep(50 * time.Millisecond)
}
