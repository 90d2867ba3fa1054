package main

import "sync"

func main() {
	var p sync.Pool
	p.Map()
}
