// What keeps the values of nested maps alive, and what lets go of them.
package main

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"

	"lab/measure"
)

type record struct {
	deleted bool
	body    []byte
}

const (
	width = 10
	body  = 100 << 10
	large = 1 << 20
	many  = 1000
)

// Globals, so that the maps are alive however little the compiler thinks of them.
var (
	tree    map[int]map[int][]byte
	records map[int]*record
	cache   = map[string]any{}
	text    string
	deep    []any
)

func nested() {
	start := measure.Live()
	live := func(name string) { measure.Print(name, measure.Live()-start) }

	tree = map[int]map[int][]byte{}
	for i := 0; i < width; i++ {
		tree[i] = map[int][]byte{}
		for j := 0; j < width; j++ {
			tree[i][j] = make([]byte, body)
		}
	}
	live("tree_bytes")
	for i := 0; i < width; i++ {
		delete(tree, i)
	}
	live("parents_deleted_bytes")
	tree = nil

	records = map[int]*record{1: {body: make([]byte, large)}}
	records[1].deleted = true
	live("flagged_bytes")
	for i := range records[1].body {
		records[1].body[i] = 0
	}
	live("zeroed_bytes")
	delete(records, 1)
	_, found := records[1]
	measure.Print("found_after_delete", found)
	live("removed_bytes")
	records = nil
}

func requests() {
	document := []byte(`{"user":"u","body":"` + strings.Repeat("x", large) + `"}`)
	start := measure.Live()
	var decoded map[string]any
	if err := json.Unmarshal(document, &decoded); err != nil {
		panic(err)
	}
	cache["request"] = decoded
	decoded = nil
	measure.Print("cached_request_bytes", measure.Live()-start)
	runtime.KeepAlive(document)
	delete(cache, "request")

	start = measure.Live()
	source := make([]byte, large)
	text = string(source[:len(os.Args)*5])
	measure.Print("text_length", len(text))
	measure.Print("text_bytes", measure.Live()-start)
}

func levels() {
	deep = make([]any, many)
	start := measure.Live()
	for i := range deep {
		var value any = true
		for level := 0; level < 5; level++ {
			value = map[string]any{"key": value}
		}
		deep[i] = value
	}
	measure.Print("five_levels_bytes", (measure.Live()-start)/many)
}

func main() {
	nested()
	requests()
	levels()
}
