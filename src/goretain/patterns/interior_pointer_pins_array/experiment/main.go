// Experiment of interior-pointer-pins-array: pointers into arrays and structs that nobody needs any more.
//
//	leak   main.latest keeps a pointer to one record of each table that was loaded, main.totals one to a
//	       field of each page
//	fixed  they keep copies
//
// Both modes keep healthy neighbours: a table all of whose records are pointed to, chunks of an allocator.
package main

import (
	"os"
	"runtime"
	"time"
)

const (
	tables  = 100
	records = 1024
	pages   = 32
)

type record struct {
	id   int
	text [56]byte
}

type totals struct{ lines, words int }

type page struct {
	text [32<<10 - 16]byte
	totals
}

type allocator struct{ chunk []record }

var (
	latest = make(map[int]*record, tables)
	first  = make(map[int]*record, tables)
	sums   []*totals

	// healthy neighbours
	index []*record
	nodes = &allocator{}
	used  []*record
)

func load() []record {
	table := make([]record, records)
	for i := range table {
		table[i].id = i
	}
	return table
}

func keep(r *record, fixed bool) *record {
	if fixed {
		kept := *r
		return &kept
	}
	return r
}

func count(fixed bool) *totals {
	p := &page{totals: totals{lines: 1, words: 2}}
	if fixed {
		kept := p.totals
		return &kept
	}
	return &p.totals
}

func (a *allocator) next() *record {
	if len(a.chunk) == 0 {
		a.chunk = make([]record, records)
	}
	r := &a.chunk[0]
	a.chunk = a.chunk[1:]
	return r
}

func main() {
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	for i := 0; i < tables; i++ {
		table := load()
		latest[i] = keep(&table[records-1], fixed)
		table = load()
		first[i] = keep(&table[0], fixed)
	}
	for i := 0; i < pages; i++ {
		sums = append(sums, count(fixed))
	}
	all := load()
	for i := range all {
		index = append(index, &all[i])
	}
	for i := 0; i < records/2; i++ {
		used = append(used, nodes.next())
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
