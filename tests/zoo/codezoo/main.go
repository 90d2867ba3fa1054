// Globals, closures and locals whose types only machine code tells when debug information is gone.
package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

type node struct {
	name string
	next *node
}

type registry struct {
	sync.Mutex
	byName map[string]*node
	all    []*node
}

type loud interface{ Error() string }

func (n *node) Error() string { return n.name }

//go:noinline
func (n *node) add(m *node) { n.next = m }

//go:noinline
func (r *registry) put(n *node) {
	r.Lock()
	defer r.Unlock()
	r.byName[n.name] = n
	r.all = append(r.all, n)
}

// static is laid out by the compiler; only its conversion to an interface says what it is.
var static = &registry{byName: map[string]*node{}}

//go:noinline
func lock(l sync.Locker) { l.Lock(); l.Unlock() }

var (
	pointer   *node
	table     = map[string]*node{}
	counts    map[int]int
	list      []*node
	queue     chan *node
	callback  func() string
	method    func(*node)
	failure   loud
	anything  any
	whole     registry
	part      struct{ first, second *node }
	copied    registry
	untouched *node
)

// What global pointers lead to, whose types have no record.
type desk struct {
	sync.Mutex
	byName map[string]*node
	back   *room
	first  any
}

type room struct {
	list  []*node
	queue chan *node
	loud  loud
}

var hub = &desk{byName: map[string]*node{}, back: &room{}}

//go:noinline
func (d *desk) put(n *node) {
	d.byName[n.name] = n
	d.back.list = append(d.back.list, n)
	d.back.loud = n
	if held, ok := d.first.(*node); ok {
		held.add(n)
	}
}

//go:noinline
func useHub(n *node) {
	hub.Lock()
	hub.first = n
	hub.Unlock()
	hub.put(n)
	hub.back.queue = make(chan *node, len(n.name))
}

// Arrays that are only indexed by variables.
var (
	ring  [4]*node
	grid  [2][3]map[string]*node
	rows  [3][]*node
	boxes [3]loud
	pairs [4]struct{ first, second *node }
	mixed [3]struct {
		of   [2]*node
		more map[int]int
	}
	inside struct {
		n    int
		here [4]*node
	}
	whole4 [4]registry
	masked [8]chan *node
)

//go:noinline
func fill(i, j int) {
	ring[i] = make1("ring")
	grid[i][j] = map[string]*node{}
	grid[i][j]["x"] = ring[i]
	rows[i] = append(rows[i], ring[i])
	boxes[i] = ring[i]
	pairs[i].second = &node{name: "second"}
	mixed[i].of[j] = &node{name: "of"}
	mixed[i].more = make(map[int]int, i)
	inside.here[i] = &node{name: "here"}
	whole4[i].byName = grid[i][j]
	whole4[i].put(ring[i])
	masked[i&7] = make(chan *node, j)
}

//go:noinline
func make1(name string) *node { return &node{name: name} }

//go:noinline
func closureOf(n *node, s string) func() string {
	return func() string { n.name += s; return n.name }
}

//go:noinline
func slots(n int) *node {
	a, b := make1("a"), &node{name: "b"}
	m := map[string]*node{}
	for i := 0; i < n; i++ {
		m[fmt.Sprint(i)] = a
		b.add(a)
	}
	a.next = b
	table["m"] = m["0"]
	return a
}

//go:noinline
func copyOf() (r registry) {
	r.byName = table
	return r
}

func main() {
	n := len(os.Args)
	pointer = make1("pointer")
	table["x"] = pointer
	counts = make(map[int]int, n)
	list = append(list, pointer)
	queue = make(chan *node, n)
	callback = closureOf(pointer, "!")
	method = pointer.add
	failure = pointer
	anything = n
	whole.byName = table
	whole.put(pointer)
	part.first, part.second = slots(n), &node{name: "second"}
	copied = copyOf()
	lock(static)
	useHub(pointer)
	fill(n, n)
	fmt.Println(callback(), failure, anything, len(counts), untouched)
	method(pointer)
	println("READY")
	time.Sleep(time.Hour)
}
