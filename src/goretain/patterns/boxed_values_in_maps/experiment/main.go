// Experiment of boxed-values-in-maps: documents that are kept as trees of map[string]any.
//
//	leak   main.catalogue holds what encoding/json makes of a document: maps, whose numbers, texts and lists are
//	       objects of their own each
//	fixed  it holds structs
//
// Both modes keep healthy neighbours: a map of any with pointers in it, and a few such trees.
package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"
)

const (
	products = 20000
	settings = 100
)

type size struct {
	width, height float64
	prices        [4]float64
}

type product struct {
	name, title string
	sold        bool
	size        size
}

var (
	catalogue []any
	registry  = map[string]any{}
	options   []any
	price     = 1.25
)

//go:noinline
func tree(name, title string) any {
	return map[string]any{
		"name":  name,
		"title": title,
		"sold":  true,
		"size": map[string]any{
			"width":  price,
			"height": 2 * price,
			"prices": []any{price, 2 * price, 3 * price, 4 * price},
		},
	}
}

//go:noinline
func typed(name, title string) any {
	return &product{name, title, true, size{price, 2 * price, [4]float64{price, 2 * price, 3 * price, 4 * price}}}
}

func main() {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	names := make([]string, products)
	for i := range names {
		names[i] = "the product with number " + strconv.Itoa(i)
		registry[names[i]] = &product{name: names[i]}
	}
	for _, name := range names {
		if fixed {
			catalogue = append(catalogue, typed(name, name))
		} else {
			catalogue = append(catalogue, tree(name, name))
		}
	}
	for _, name := range names[:settings] {
		options = append(options, tree(name, name))
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
