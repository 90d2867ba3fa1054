// Command tiny holds a few objects of every shape, for files that are kept for ever.
package main

import "time"

type node struct {
	next *node
	name string
}

var cache = map[string]*node{}
var window []byte

func main() {
	cache["first"] = &node{name: "a"}
	cache["second"] = &node{next: cache["first"]}
	buffer := make([]byte, 4096)
	window = buffer[:16]
	println("READY")
	for {
		time.Sleep(time.Hour)
	}
}
