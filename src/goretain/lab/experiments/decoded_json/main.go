// What decoding and encoding JSON allocates and keeps, as maps and as structs.
package main

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"lab/measure"
)

type event struct {
	ID       string                       `json:"id"`
	Metadata map[string]map[string]string `json:"metadata"`
}

type line struct {
	Time    int64  `json:"ts"`
	Level   string `json:"level"`
	Message string `json:"msg"`
}

type tagged struct {
	ID   string `json:"id" path:"order.id"`
	Name string `path:"data.name"`
}

var (
	cache   map[string]*event
	records []map[string]any
	lines   []line
	sink    any
	oneLine = []byte(`{"ts":1700000000123,"level":"info","msg":"a message of some words"}`)
)

func document(i int) []byte {
	var text strings.Builder
	fmt.Fprintf(&text, `{"id":"event %d","metadata":{`, i)
	for part := 0; part < 5; part++ {
		if part > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `"part %d":{"a":"value %d","b":"value %d"}`, part, i, i)
	}
	text.WriteString(`}}`)
	return []byte(text.String())
}

// decode panics on what it cannot decode: every text here is made for it.
func decode(text []byte, into any) {
	if err := json.Unmarshal(text, into); err != nil {
		panic(err)
	}
}

func caching() {
	one := document(1)
	bytes, objects := measure.Allocated(func() {
		e := new(event)
		decode(one, e)
		sink = e
	})
	measure.Print("document_bytes", len(one))
	measure.Print("decoded_bytes", bytes)
	measure.Print("decoded_allocs", objects)
	sink = nil

	start := measure.Live()
	keep := func(i int) {
		e := new(event)
		decode(document(i), e)
		cache[e.ID] = e
	}
	cache = map[string]*event{}
	for i := 0; i < 10_000; i++ {
		keep(7)
	}
	measure.Print("same_id_bytes", measure.Live()-start)
	for i := 0; i < 10_000; i++ {
		keep(i)
	}
	measure.Print("unique_ids_bytes", measure.Live()-start)
	for id := range cache {
		delete(cache, id)
	}
	measure.Print("deleted_bytes", measure.Live()-start)
}

func reuse() {
	var e event
	decode([]byte(`{"metadata":{"x":{"a":"1"}}}`), &e)
	outer, inner := e.Metadata, e.Metadata["x"]
	decode([]byte(`{"metadata":{"x":{"b":"2"},"y":{}}}`), &e)
	measure.Print("outer_map_merged", len(outer) == 2)
	measure.Print("inner_map_new", inner["b"] == "" && e.Metadata["x"]["b"] == "2" && e.Metadata["x"]["a"] == "")
}

func comparing() {
	start := measure.Live()
	records = make([]map[string]any, 10_000)
	for i := range records {
		decode(oneLine, &records[i])
	}
	measure.Print("as_maps_bytes", measure.Live()-start)
	records = nil
	start = measure.Live()
	lines = make([]line, 10_000)
	for i := range lines {
		decode(oneLine, &lines[i])
	}
	measure.Print("as_structs_bytes", measure.Live()-start)
	lines = nil

	var record map[string]any
	var parsed line
	decode(oneLine, &record)
	decode(oneLine, &parsed)
	bytes, _ := measure.Allocated(func() { encodeThousand(record) })
	measure.Print("thousand_maps_encoded_bytes", bytes)
	bytes, _ = measure.Allocated(func() { encodeThousand(parsed) })
	measure.Print("thousand_structs_encoded_bytes", bytes)
}

// encodeThousand encodes a value again and again: once would measure the encoder's pools, which a collection empties.
func encodeThousand(value any) {
	for i := 0; i < 1000; i++ {
		sink, _ = json.Marshal(value)
	}
}

func large() {
	var text strings.Builder
	text.WriteString(`{"data":{"status":3},"rest":{`)
	for i := 0; text.Len() < 10<<10; i++ {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `"key %d":{"number":%d,"text":"some text %d"}`, i, i, i)
	}
	text.WriteString(`}}`)
	document := []byte(text.String())
	measure.Print("large_document_bytes", len(document))
	bytes, _ := measure.Allocated(func() {
		var whole map[string]any
		decode(document, &whole)
		sink = whole
	})
	measure.Print("large_as_map_allocated_bytes", bytes)
	sink = nil
	start := measure.Live()
	var whole map[string]any
	decode(document, &whole)
	sink = whole
	measure.Print("large_as_map_live_bytes", measure.Live()-start)
	whole, sink = nil, nil
	bytes, _ = measure.Allocated(func() {
		var part struct {
			Data struct {
				Status int `json:"status"`
			} `json:"data"`
		}
		decode(document, &part)
		sink = part.Data.Status
	})
	measure.Print("large_as_part_allocated_bytes", bytes)
}

func tags() {
	var t tagged
	decode([]byte(`{"id":"A","order.id":"B","data":{"name":"N"},"Name":"M"}`), &t)
	measure.Print("tagged", t.ID+t.Name)
}

func encoding() {
	numbers := map[string]int{}
	for i := 0; i < 1000; i++ {
		numbers[fmt.Sprint(i)] = i
	}
	used, _ := measure.Allocated(func() {
		var text bytes.Buffer
		if err := gob.NewEncoder(&text).Encode(numbers); err != nil {
			panic(err)
		}
	})
	measure.Print("gob_encoded_bytes", used)
	used, _ = measure.Allocated(func() { sink, _ = json.Marshal(numbers) })
	measure.Print("json_encoded_bytes", used)
}

func main() {
	switch os.Args[1] {
	case "caching":
		caching()
	case "reuse":
		reuse()
	case "comparing":
		comparing()
	case "large":
		large()
	case "tags":
		tags()
	case "encoding":
		encoding()
	}
}
