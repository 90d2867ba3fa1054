// Command generic holds values of generic types in most places that code can put them: what a stripped program
// says of them stands in code that is compiled for shapes.
package main

import (
	"sync"
	"sync/atomic"
	"time"
)

type node[T any] struct {
	next *node[T]
	v    T
}

type stack[T any] struct {
	head *node[T]
	n    int
}

func (s *stack[T]) push(v T) { s.head = &node[T]{s.head, v}; s.n++ }

type tree[T any] struct {
	root *leaf[T]
	size int
}

type leaf[T any] struct {
	left, right *leaf[T]
	value       T
	text        []byte
}

//go:noinline
func (t *tree[T]) insert(v T, less func(a, b T) bool) {
	at := &t.root
	for *at != nil {
		if less(v, (*at).value) {
			at = &(*at).left
		} else {
			at = &(*at).right
		}
	}
	*at = &leaf[T]{value: v, text: make([]byte, 100)}
	t.size++
}

type pair[A, B any] struct {
	a A
	b B
}

type both[A, B any] struct {
	next *both[A, B]
	a    A
	b    B
}

type list[T any] struct {
	first *node[T]
	last  **node[T]
}

//go:noinline
func (l *list[T]) add(v T) {
	n := &node[T]{v: v}
	if l.first == nil {
		l.last = &l.first
	}
	*l.last, l.last = n, &n.next
}

type item struct {
	name string
	data []byte
}

type entry struct {
	data []byte
	key  *int
}

type named []byte

// cut keeps 8 bytes of an array: the rest of it is a finding.
func cut(k int) []byte { b := make([]byte, 2048+k*512); return b[8:16:len(b)] }

func keep[T any](v T) func() T { return func() T { return v } }

var (
	slices  stack[[]byte]
	others  stack[named]
	pairs   stack[pair[string, []byte]]
	items   stack[*item]
	entries stack[*entry]
	joined  *both[*item, *entry]
	queued  list[*item]
	waiting = &list[*entry]{}
	numbers tree[int]
	texts   = &tree[string]{}
	closed  []func() []byte
	shared  atomic.Pointer[stack[[]byte]]
	known   sync.Map
	blocked = make(chan struct{})
)

//go:noinline
func wait[T any](s *stack[T]) {
	<-blocked
	println(s.n)
}

//go:noinline
func build() {
	local, swapped := &stack[[]byte]{}, &stack[[]byte]{}
	for i := 0; i < 200; i++ {
		text := string(rune('a'+i%26)) + string(rune('a'+i/26))
		slices.push(cut(1))
		others.push(cut(2))
		pairs.push(pair[string, []byte]{text, cut(3)})
		items.push(&item{text, cut(4)})
		entries.push(&entry{cut(9), nil})
		joined = &both[*item, *entry]{joined, &item{text, cut(10)}, &entry{cut(11), nil}}
		queued.add(&item{text, cut(12)})
		waiting.add(&entry{cut(13), nil})
		numbers.insert(i*7919%1000, func(a, b int) bool { return a < b })
		texts.insert(text, func(a, b string) bool { return a < b })
		closed = append(closed, keep(cut(5)))
		swapped.push(cut(6))
		local.push(cut(7))
		known.Store(text, cut(8))
	}
	shared.Store(swapped)
	go wait(local)
}

func main() {
	build()
	println("READY")
	for {
		time.Sleep(time.Hour)
	}
}
