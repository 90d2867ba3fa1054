// Experiment of dead-slots-hold-objects: slices that left elements behind which still point.
//
//	leak   main.queue is read from by queue = queue[1:]; main.batch is emptied by batch[:0];
//	       main.open keeps what passes a filter in place
//	fixed  the slots that are left behind are cleared first
//
// Both modes keep healthy neighbours: a ring whose slots are cleared, a list with room to grow.
package main

import (
	"os"
	"runtime"
	"time"
)

const (
	jobs  = 1024
	left  = 600
	lines = 4096
	files = 6144
)

type job struct {
	id   int
	data [1000]byte
}

type ring struct {
	slots []*job
	head  int
}

var (
	queue = make([]*job, 0, jobs)
	batch = make([]*job, 0, lines)
	open  = make([]*job, 0, files)

	// healthy neighbours
	taken = &ring{slots: make([]*job, 1024)}
	grown = make([]*job, 0, 4096)
)

func takeOne(fixed bool) {
	if fixed {
		queue[0] = nil
	}
	queue = queue[1:]
}

func sendBatch(fixed bool) {
	for i := 0; i < lines; i++ {
		batch = append(batch, &job{id: i})
	}
	if fixed {
		clear(batch)
	}
	batch = batch[:0]
}

func closeHalf(fixed bool) {
	for i := 0; i < files; i++ {
		open = append(open, &job{id: i})
	}
	kept := open[:0]
	for _, file := range open {
		if file.id%2 == 0 {
			kept = append(kept, file)
		}
	}
	if fixed {
		clear(open[len(kept):])
	}
	open = kept
}

func main() {
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	for i := 0; i < jobs; i++ {
		queue = append(queue, &job{id: i})
	}
	for len(queue) > left {
		takeOne(fixed)
	}
	sendBatch(fixed)
	closeHalf(fixed)
	for i := 0; i < 100; i++ {
		taken.slots[i] = &job{id: i}
		taken.slots[i] = nil
		taken.head++
		grown = append(grown, &job{id: i})
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
