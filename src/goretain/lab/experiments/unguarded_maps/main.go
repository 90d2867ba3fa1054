// What happens to a map that goroutines use without a lock, and to one that is changed while it is ranged over.
package main

import (
	"os"
	"sync"
	"time"

	"lab/measure"
)

var (
	shared = map[int]int{}
	sink   int
)

func fill() {
	for i := 0; i < 1000; i++ {
		shared[i] = i
	}
}

// forAWhile calls f again and again, for three seconds at most: a program that is ended gets there long before.
func forAWhile(f func()) {
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
		f()
	}
}

func writers() {
	var group sync.WaitGroup
	for w := 0; w < 8; w++ {
		group.Add(1)
		go func() {
			defer group.Done()
			defer func() { measure.Print("recovered", recover() != nil) }()
			forAWhile(fill)
		}()
	}
	group.Wait()
}

func readersAndWriter() {
	fill()
	for r := 0; r < 4; r++ {
		go forAWhile(func() {
			for i := 0; i < 1000; i++ {
				sink += shared[i]
			}
		})
	}
	forAWhile(fill)
}

func rangeAndWriter() {
	fill()
	go forAWhile(fill)
	forAWhile(func() {
		for key := range shared {
			sink += key
		}
	})
}

func readers() {
	fill()
	var group sync.WaitGroup
	for r := 0; r < 8; r++ {
		group.Add(1)
		go func() {
			defer group.Done()
			found := 0
			for round := 0; round < 500; round++ {
				for i := 0; i < 1000; i++ {
					found += shared[i]
				}
			}
		}()
	}
	group.Wait()
}

func rangeAndDelete() {
	fill()
	for key := range shared {
		delete(shared, key)
		shared[key+1_000_000] = 1
		delete(shared, key+1_000_000)
	}
	measure.Print("left_after_range", len(shared))
}

// unguardedWrites writes from two goroutines, each once and far apart in time: no run of it crashes.
func unguardedWrites() {
	done := make(chan struct{})
	go func() {
		shared[1] = 1
		close(done)
	}()
	time.Sleep(50 * time.Millisecond)
	shared[2] = 2
	<-done
	measure.Print("writes_kept", len(shared))
}

func main() {
	switch os.Args[1] {
	case "writers":
		writers()
	case "readers_and_writer":
		readersAndWriter()
	case "range_and_writer":
		rangeAndWriter()
	case "readers":
		readers()
	case "range_and_delete":
		rangeAndDelete()
	case "unguarded", "unguarded_raced":
		unguardedWrites()
	}
}
