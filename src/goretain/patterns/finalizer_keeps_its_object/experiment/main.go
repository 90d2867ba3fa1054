// Experiment of finalizer-keeps-its-object: objects whose finalizer or cleanup can never run.
//
//	leak   a connection and its session refer to each other and the connection has a finalizer; from Go 1.24 on
//	       the argument of a file's cleanup is a handle that leads back to the file
//	fixed  the finalizer is on a descriptor that refers to nothing; the cleanup is given the number only
//
// Both modes keep healthy neighbours: connections of that kind that are in use, and finalizers that only wait
// for the next collection.
package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

const (
	closed = 300
	open   = 50
	size   = 2 << 10
)

type descriptor struct{ number, flags int }

type conn struct {
	fd      *descriptor
	session *session
}

type session struct {
	conn   *conn
	buffer [size]byte
}

var (
	inUse []*conn
	sink  int
)

func closeConn(c *conn)             { sink += c.fd.number }
func closeDescriptor(d *descriptor) { sink += d.number }

//go:noinline
func connect(number int, fixed bool) *conn {
	c := &conn{fd: &descriptor{number: number}}
	c.session = &session{conn: c}
	if fixed {
		runtime.SetFinalizer(c.fd, closeDescriptor)
	} else {
		runtime.SetFinalizer(c, closeConn)
	}
	return c
}

func main() {
	debug.SetGCPercent(-1)
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	for i := 0; i < closed; i++ {
		connect(i, fixed)
	}
	for i := 0; i < open; i++ {
		inUse = append(inUse, connect(i, false))
	}
	files(fixed)
	for i := 0; i < 4; i++ {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
	if fixed {
		// These wait for the next collection.
		for i := 0; i < closed; i++ {
			connect(i, fixed)
		}
	}
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
