// A chain of references from a variable to a large object, by the standard library alone: a heap dump and the
// program's own symbol table.
package main

import (
	"debug/elf"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sort"

	"lab/measure"
)

type session struct {
	name string
	body []byte
}

var registry = map[string]*session{}

func fill() {
	for i := 0; i < 3; i++ {
		page := make([]byte, 1<<20)
		page[0] = byte(i)
		registry[fmt.Sprint("session ", i)] = &session{"x", page[10:20]}
	}
}

func main() {
	fill()
	runtime.GC()
	dump, err := os.Create("heap.dump")
	if err != nil {
		panic(err)
	}
	debug.WriteHeapDump(dump.Fd())
	if err := dump.Close(); err != nil {
		panic(err)
	}
	content, err := os.ReadFile("heap.dump")
	if err != nil {
		panic(err)
	}
	heap := read(content)
	measure.Print("objects", len(heap.objects) > 10)
	root := address("main.registry")
	chain := heap.chain(root, 1<<20)
	text := "main.registry"
	for _, size := range chain {
		text += fmt.Sprintf(" -> %d bytes", size)
	}
	measure.Print("chain", text)
	measure.Print("links", len(chain))
	measure.Print("entries", len(registry))
}

// address finds a variable in the symbol table of this very program.
func address(name string) uint64 {
	file, err := elf.Open("/proc/self/exe")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	symbols, err := file.Symbols()
	if err != nil {
		panic(err)
	}
	for _, symbol := range symbols {
		if symbol.Name == name {
			return symbol.Value
		}
	}
	panic(name + " is not in the symbol table")
}

// chain returns the sizes of the objects on the shortest way from a variable to an object of at least so many
// bytes, that one included; nothing when there is no way.
func (h *heap) chain(variable uint64, least int) []int {
	came := map[int]int{}
	queue := []int{}
	visit := func(pointer uint64, from int) {
		to, ok := h.find(pointer)
		if _, seen := came[to]; ok && !seen {
			came[to] = from
			queue = append(queue, to)
		}
	}
	visit(h.word(variable), -1)
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if len(h.objects[at].content) >= least {
			sizes := []int{}
			for ; at >= 0; at = came[at] {
				sizes = append([]int{len(h.objects[at].content)}, sizes...)
			}
			return sizes
		}
		for _, pointer := range h.objects[at].pointers() {
			visit(pointer, at)
		}
	}
	return nil
}

// find returns the object that holds an address.
func (h *heap) find(address uint64) (int, bool) {
	at := sort.Search(len(h.objects), func(i int) bool { return h.objects[i].address > address }) - 1
	return at, at >= 0 && address < h.objects[at].address+uint64(len(h.objects[at].content))
}
