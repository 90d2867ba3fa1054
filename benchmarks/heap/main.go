// Command benchheap makes a heap of a known shape, prints its object count and READY, and waits.
//
//	benchheap buffers N   N MiB of pointer-free buffers
//	benchheap objects N   N small objects: users in two maps, sessions in a slice, lists, boxed values
//	benchheap pointers N  one array of N pointers
//	benchheap windows N   one array of N slices of one buffer
//	benchheap texts N     N objects of two strings each
//	benchheap leaves N    N objects of two words
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"
)

type user struct {
	id    int
	name  string
	email *string
	tags  []string
}

type session struct {
	user *user
	data []byte
	any  any
}

type node struct {
	next *node
	val  *int64
}

type point struct{ a, b, c int64 }

var (
	buffers  [][]byte
	byID     = map[int]*user{}
	byName   = map[string]*user{}
	sessions []*session
	list     *node
	boxes    []any
	pointers []*int64
	windows  [][]byte
	texts    []*[2]string
	leaves   []*node
)

func fillBuffers(mebibytes int) {
	for i := 0; i < mebibytes; i++ {
		b := make([]byte, 1<<20)
		for j := range b {
			b[j] = byte(i + j)
		}
		buffers = append(buffers, b)
	}
}

// fillObjects allocates about n objects: 4 a user, 3 a session, 2 a node, 1 a box.
func fillObjects(n int) {
	for i := 0; i < n/10; i++ {
		name, email := "user-"+strconv.Itoa(i), "mail-"+strconv.Itoa(i)+"@example.com"
		u := &user{id: i, name: name, email: &email}
		byID[i], byName[name] = u, u
	}
	for i := 0; i < n/15; i++ {
		data := append(make([]byte, 0, 64), "hello"...)
		sessions = append(sessions, &session{user: byID[i], data: data, any: &point{a: int64(i)}})
	}
	for i := 0; i < n/10; i++ {
		v := int64(i)
		list = &node{next: list, val: &v}
	}
	for i := 0; i < n/5; i++ {
		boxes = append(boxes, &point{b: int64(i)})
	}
}

// fillOne makes n values of one kind.
func fillOne(kind string, n int) {
	numbers, buffer := make([]*int64, 1000), make([]byte, n)
	for i := range numbers {
		numbers[i] = new(int64)
	}
	switch kind {
	case "pointers":
		pointers = make([]*int64, n)
		for i := range pointers {
			pointers[i] = numbers[i%len(numbers)]
		}
	case "windows":
		windows = make([][]byte, n)
		for i := range windows {
			windows[i] = buffer[i%100 : i%100+100]
		}
	case "texts":
		for i := 0; i < n; i++ {
			texts = append(texts, &[2]string{strconv.Itoa(i), strconv.Itoa(-i)})
		}
	case "leaves":
		for i := 0; i < n; i++ {
			leaves = append(leaves, &node{})
		}
	}
}

func main() {
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	switch os.Args[1] {
	case "buffers":
		fillBuffers(n)
	case "objects":
		fillObjects(n)
	default:
		fillOne(os.Args[1], n)
	}
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fmt.Println("HeapObjects", stats.HeapObjects)
	fmt.Println("HeapAlloc", stats.HeapAlloc)
	fmt.Println("READY")
	for {
		time.Sleep(time.Hour)
	}
}
