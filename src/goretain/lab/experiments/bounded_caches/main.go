// What a cache keeps with a bound and without one.
package main

import (
	"container/list"
	"os"
	"strconv"

	"lab/measure"
)

const puts = 50_000

type entry struct {
	key   string
	value []byte
}

// lru drops the entry that was used least recently when it has more than most.
type lru struct {
	most  int
	order *list.List
	found map[string]*list.Element
}

func (c *lru) put(key string, value []byte) {
	c.found[key] = c.order.PushFront(&entry{key, value})
	if c.order.Len() > c.most {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.found, last.Value.(*entry).key)
	}
}

var (
	unbounded map[string][]byte
	bounded   *lru
)

func main() {
	start := measure.Live()
	switch os.Args[1] {
	case "unbounded":
		unbounded = map[string][]byte{}
		for i := 0; i < puts; i++ {
			unbounded[strconv.Itoa(i)] = make([]byte, 1024)
		}
		measure.Print("unbounded_bytes", measure.Live()-start)
	case "bounded":
		bounded = &lru{1000, list.New(), map[string]*list.Element{}}
		for i := 0; i < puts; i++ {
			bounded.put(strconv.Itoa(i), make([]byte, 1024))
		}
		measure.Print("bounded_entries", bounded.order.Len())
		measure.Print("bounded_bytes", measure.Live()-start)
	}
}
