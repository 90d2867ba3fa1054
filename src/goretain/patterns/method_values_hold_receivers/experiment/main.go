// Experiment of method-values-hold-receivers: methods of sessions registered as callbacks.
//
//	leak   main.onShutdown keeps session.close of every session that ever was, main.onReload a copy of
//	       each one's settings, whose method has no pointer receiver
//	fixed  it is removed when the session ends
//
// Both modes keep healthy neighbours: methods of one server, methods of sessions that are in use.
package main

import (
	"os"
	"runtime"
	"time"
)

const (
	sessions = 400
	clients  = 300
	routes   = 50
	size     = 8 << 10
)

type session struct {
	id     int
	buffer [size - 8]byte
}

func (s *session) close() { sink += len(s.buffer) }

type settings struct {
	id   int
	page *[size]byte
}

func (s settings) reload() { sink += s.id }

type server struct{ cache []byte }

func (s *server) handle() { sink += len(s.cache) }

var (
	onShutdown = make(map[int]func(), sessions)
	onReload   = make(map[int]func(), sessions)
	handlers   []func()
	inUse      []*session
	sink       int
)

func main() {
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	for id := 0; id < sessions; id++ {
		s := &session{id: id}
		onShutdown[id] = s.close
		onReload[id] = settings{id: id, page: new([size]byte)}.reload
		if fixed {
			delete(onShutdown, id)
			delete(onReload, id)
		}
	}
	main := &server{cache: make([]byte, 4<<20)}
	for i := 0; i < routes; i++ {
		handlers = append(handlers, main.handle)
	}
	for i := 0; i < clients; i++ {
		s := &session{id: i}
		inUse = append(inUse, s)
		handlers = append(handlers, s.close)
	}
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
