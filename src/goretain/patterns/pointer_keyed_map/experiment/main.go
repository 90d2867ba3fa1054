// Experiment of pointer-keyed-map: state that is kept beside connections, by pointer.
//
//	leak   main.states keeps an entry for each connection that ever was; the connections themselves are gone
//	       from everywhere else
//	fixed  the entry is deleted when the connection ends
//
// Both modes keep healthy neighbours: entries of connections that are in use.
package main

import (
	"os"
	"runtime"
	"time"
)

const (
	ended = 600
	live  = 300
)

type conn struct {
	id     int
	buffer [1016]byte
}

type state struct {
	requests int
	last     *[256]byte
}

var (
	states = make(map[*conn]*state, ended+live)
	inUse  []*conn
)

func connect(id int) *conn {
	c := &conn{id: id}
	states[c] = &state{last: new([256]byte)}
	return c
}

func main() {
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	for id := 0; id < ended; id++ {
		c := connect(id)
		if fixed {
			delete(states, c)
		}
	}
	for id := 0; id < live; id++ {
		inUse = append(inUse, connect(id))
	}
	ballast = make([]byte, 4<<20)
	ready()
}

// The map shall not hold most of the heap.
var ballast []byte

func ready() {
	runtime.GC()
	runtime.GC()
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
