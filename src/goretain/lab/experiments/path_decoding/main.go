// Taking single values out of JSON by their path with gjson, and what the results keep.
package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"lab/measure"
)

var (
	text  string
	sink  any
	small = `{"data":{"status":3,"user":{"id":"u1"}},"ext_info":{"tags":["a","b","c"]}}`
)

// document returns JSON of at least so many bytes, in which what is asked for stands first.
func document(size int) string {
	var made strings.Builder
	made.WriteString(small[:len(small)-1])
	for i := 0; made.Len() < size; i++ {
		made.WriteString(`,"key ` + strconv.Itoa(i) + `":"some text ` + strconv.Itoa(i) + `"`)
	}
	made.WriteString("}")
	return made.String()
}

func paths() {
	count := gjson.Get(small, "ext_info.tags.#")
	measure.Print("number_sign_gives", count.Type.String()+" "+count.Raw)
	measure.Print("path_gives", gjson.Get(small, "ext_info.tags").Raw)
	var tags []string
	measure.Print("number_sign_decodes", json.Unmarshal([]byte(count.Raw), &tags) == nil)
}

func allocations() {
	whole := document(10 << 10)
	raw := []byte(whole)
	wanted := []string{"data.status", "data.user.id", "ext_info.tags"}
	bytes, _ := measure.Allocated(func() {
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			panic(err)
		}
		sink = m
	})
	measure.Print("whole_document_bytes", bytes)
	bytes, _ = measure.Allocated(func() {
		for _, path := range wanted {
			text = gjson.Get(whole, path).String()
		}
	})
	measure.Print("three_paths_bytes", bytes)
	bytes, _ = measure.Allocated(func() { text = gjson.ParseBytes(raw).Raw })
	measure.Print("parse_bytes_bytes", bytes)
}

//go:noinline
func taken(how string) string {
	switch how {
	case "get":
		return gjson.Get(document(1<<20), "data.user.id").String()
	case "parse_bytes":
		return gjson.ParseBytes([]byte(document(1 << 20))).Get("data.user.id").String()
	case "get_bytes":
		return gjson.GetBytes([]byte(document(1<<20)), "data.user.id").String()
	default:
		return strings.Clone(gjson.Get(document(1<<20), "data.user.id").String())
	}
}

func keeping() {
	for _, how := range []string{"get", "parse_bytes", "get_bytes", "cloned"} {
		text = ""
		start := measure.Live()
		text = taken(how)
		measure.Print(how+"_keeps_bytes", measure.Live()-start)
	}
}

func main() {
	switch os.Args[1] {
	case "paths":
		paths()
	case "allocations":
		allocations()
	case "keeping":
		keeping()
	}
}
