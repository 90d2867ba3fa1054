// Experiment of pointer-keyed-map: state that is kept beside connections, by pointer.
//
//	leak   main.states keeps an entry for each connection that ever was; the connections themselves are gone
//	       from everywhere else
//	fixed  the entry is deleted when the connection ends
//
// So do main.sessions, where the pointer is in an interface, main.ports, where it is in a struct, and main.groups,
// where it is in an array.
//
// Both modes keep healthy neighbours: entries of connections that are in use, and entries whose keys are values in
// interfaces, which everybody can make again.
package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
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

func (c *conn) String() string { return "connection" }

type session struct{ buffer [2048]byte }

func (s *session) String() string { return "session" }

type stringer interface{ String() string }

type port struct {
	number int
	conn   *conn
}

type place struct{ row, column [8]int64 }

type state struct {
	requests int
	last     *[256]byte
}

var (
	states = make(map[*conn]*state, ended+live)
	inUse  []*conn
	common conn

	sessions = make(map[stringer]int, ended)
	ports    = make(map[port]int, ended)
	groups   = make(map[[2]*conn]int, ended)
	seen     = make(map[any]int, 8*ended)
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
	for id := 0; id < ended; id++ {
		s, p, g := &session{}, port{id, &conn{}}, [2]*conn{{}, &common}
		sessions[s] = id
		if id < 500 {
			ports[p] = id
		}
		if id < 400 {
			groups[g] = id
		}
		if fixed {
			delete(sessions, s)
			delete(ports, p)
			delete(groups, g)
		}
	}
	for id := 0; id < 4*ended; id++ {
		seen[place{row: [8]int64{int64(id)}}] = id
		seen[strings.Repeat("x", 200)+strconv.Itoa(id)] = id
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
