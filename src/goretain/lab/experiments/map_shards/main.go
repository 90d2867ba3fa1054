// What a map of shards needs: a mask, locks, and a resize that loses nothing.
package main

import (
	"hash/maphash"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"lab/measure"
)

type shard struct {
	sync.RWMutex
	m map[string]int
}

var (
	seed   = maphash.MakeSeed()
	shards atomic.Value // []*shard
	list   sync.Map
	sink   int
)

func newShards(n int) []*shard {
	made := make([]*shard, n)
	for i := range made {
		made[i] = &shard{m: map[string]int{}}
	}
	return made
}

func of(all []*shard, key string) *shard { return all[maphash.String(seed, key)&uint64(len(all)-1)] }

func set(key string, value int) {
	s := of(shards.Load().([]*shard), key)
	s.Lock()
	s.m[key] = value
	s.Unlock()
}

func masks() {
	used := func(n int) int {
		seen := map[uint64]bool{}
		for i := 0; i < 10_000; i++ {
			seen[maphash.String(seed, strconv.Itoa(i))&uint64(n-1)] = true
		}
		return len(seen)
	}
	measure.Print("used_of_10", used(10))
	measure.Print("used_of_64", used(64))
}

func unlocked() {
	shards.Store(newShards(4))
	for i := 0; i < 1000; i++ {
		set(strconv.Itoa(i), i)
	}
	_, objects := measure.Allocated(func() { sink = len(shards.Load().([]*shard)) })
	measure.Print("load_allocs", objects)
	end := time.Now().Add(3 * time.Second)
	go func() {
		for time.Now().Before(end) {
			for i := 0; i < 1000; i++ {
				set(strconv.Itoa(i), i)
			}
		}
	}()
	for time.Now().Before(end) {
		for _, s := range shards.Load().([]*shard) {
			sink += s.m["5"]
		}
	}
}

// resize doubles the shards by copying and then swapping, while writers go on. A writer that had taken the old
// shards before the swap writes after the copy: the order that decides is enforced, so that no luck is needed.
func resize() {
	const writers = 100
	shards.Store(newShards(4))
	old := shards.Load().([]*shard)
	var taken, written sync.WaitGroup
	copied := make(chan struct{})
	taken.Add(writers)
	written.Add(writers)
	for w := 0; w < writers; w++ {
		go func(key string) {
			defer written.Done()
			s := of(shards.Load().([]*shard), key)
			taken.Done()
			<-copied
			s.Lock()
			s.m[key] = 1
			s.Unlock()
		}("writer " + strconv.Itoa(w))
	}
	taken.Wait()
	larger := newShards(8)
	for _, s := range old {
		s.RLock()
		for key, value := range s.m {
			of(larger, key).m[key] = value
		}
		s.RUnlock()
	}
	shards.Store(larger)
	close(copied)
	written.Wait()
	lost := 0
	for w := 0; w < writers; w++ {
		key := "writer " + strconv.Itoa(w)
		if _, ok := of(larger, key).m[key]; !ok {
			lost++
		}
	}
	measure.Print("writes_lost_by_resize", lost)
}

// elements changes a slice that it loads from a sync.Map, as goroutines do that think the map guards it.
func elements(copyFirst bool) {
	list.Store("list", []int{1, 2})
	var group sync.WaitGroup
	for w := 0; w < 2; w++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := 0; i < 100; i++ {
				loaded, _ := list.Load("list")
				slice := loaded.([]int)
				if !copyFirst {
					slice[0]++
					continue
				}
				slice = append([]int(nil), slice...)
				slice[0]++
				list.Store("list", slice)
			}
		}()
	}
	group.Wait()
}

func memory() {
	before := measure.Live()
	shards.Store(newShards(64))
	measure.Print("empty_shards_bytes", measure.Live()-before)
}

func main() {
	switch os.Args[1] {
	case "masks":
		masks()
	case "unlocked":
		unlocked()
	case "resize":
		resize()
	case "elements":
		elements(false)
	case "copied_elements":
		elements(true)
	case "memory":
		memory()
	}
}
