// Decode measures ways to decode documents: time, what is allocated, and what stays of them.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"decode/ours"
)

const (
	rounds = 9
	pace   = 200 * time.Millisecond
)

// way is one way to decode; it returns what an application would keep.
type way struct {
	name   string
	decode func(document []byte) any
}

// ways are measured in turn; quicktype's are added where it is there.
var ways = []way{
	{"encoding/json: map[string]any", into[map[string]any]},
	{"goretain schema: json.Unmarshal", into[ours.Order]},
	{"goretain schema: UnmarshalJSON", func(document []byte) any {
		order := new(ours.Order)
		return must(order, order.UnmarshalJSON(document))
	}},
	{"goretain schema: from a stream", func(document []byte) any {
		order, err := ours.DecodeOrder(bytes.NewReader(document))
		return must(&order, err)
	}},
	{"goretain schema --path", func(document []byte) any {
		parts, err := ours.ExtractParts(document)
		return must(&parts, err)
	}},
	{"goretain schema --path: from a stream", func(document []byte) any {
		parts, err := ours.ExtractPartsFrom(bytes.NewReader(document))
		return must(&parts, err)
	}},
	{"encoding/json: a struct of the paths", into[partial]},
	{"encoding/json: its tokens", tokens},
}

// partial is what a developer would write for the same paths.
type partial struct {
	ID     string
	Totals struct{ Gross float64 }
	Lines  []struct{ Price float64 }
}

func into[T any](document []byte) any {
	value := new(T)
	return must(value, json.Unmarshal(document, value))
}

func must[T any](value T, err error) any {
	if err != nil {
		panic(err)
	}
	return value
}

// tokens takes the same paths out of the token stream of encoding/json.
func tokens(document []byte) any {
	type found struct {
		id     string
		gross  float64
		prices []float64
	}
	kept := &found{}
	decoder := json.NewDecoder(bytes.NewReader(document))
	var keys []string // of the objects around the token; "" is an array
	key := true       // the next string is a key
	for {
		token, err := decoder.Token()
		if err != nil {
			return kept
		}
		inObject := len(keys) > 0 && keys[len(keys)-1] != ""
		switch token := token.(type) {
		case json.Delim:
			switch token {
			case '{':
				keys, key = append(keys, "?"), true
				continue
			case '[':
				keys, key = append(keys, ""), false
				continue
			}
			keys = keys[:len(keys)-1]
		case string:
			if inObject && key {
				keys[len(keys)-1], key = token, false
				continue
			}
			if len(keys) == 1 && keys[0] == "id" {
				kept.id = strings.Clone(token)
			}
		case float64:
			switch {
			case len(keys) == 2 && keys[0] == "totals" && keys[1] == "gross":
				kept.gross = token
			case len(keys) == 3 && keys[0] == "lines" && keys[2] == "price":
				kept.prices = append(kept.prices, token)
			}
		}
		key = len(keys) > 0 && keys[len(keys)-1] != ""
	}
}

func main() {
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		documents := bytes.Split(text, []byte("\n"))
		best := make([]float64, len(ways))
		for round := 0; round < rounds; round++ {
			for i, way := range ways {
				if ns := timed(way, documents); round == 0 || ns < best[i] {
					best[i] = ns
				}
			}
		}
		for i, way := range ways {
			bytes, objects := allocated(way, documents)
			fmt.Printf("%s\t%d\t%s\t%.0f\t%d\t%d\t%d\n", path, len(text)/len(documents), way.name, best[i], bytes, objects, held(way, documents))
		}
	}
}

// timed is nanoseconds of processor time a document, of the collector too.
func timed(w way, documents [][]byte) float64 {
	n, started, before := 0, time.Now(), used()
	for time.Since(started) < pace {
		for _, document := range documents {
			w.decode(document)
		}
		n += len(documents)
	}
	return float64((used() - before).Nanoseconds()) / float64(n)
}

// used is the processor time of the process.
func used() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// allocated is bytes and objects that decoding one document allocates.
func allocated(w way, documents [][]byte) (uint64, uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, document := range documents {
		w.decode(document)
	}
	runtime.ReadMemStats(&after)
	n := uint64(len(documents))
	return (after.TotalAlloc - before.TotalAlloc) / n, (after.Mallocs - before.Mallocs) / n
}

// held is bytes that stay reachable of one decoded document; each is decoded from a copy of its own.
func held(w way, documents [][]byte) int64 {
	values := make([]any, len(documents))
	before := live()
	for i := range values {
		values[i] = w.decode(bytes.Clone(documents[i]))
	}
	after := live()
	runtime.KeepAlive(values)
	return (int64(after) - int64(before)) / int64(len(documents))
}

func live() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
