// What it costs to go through a map, and what of it is a copy.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"lab/measure"
)

const entries = 10_000

var (
	numbers = map[string]int{}
	total   int
	output  []byte
	text    = "a text of the program's own"
)

func ranged() {
	for _, v := range numbers {
		total += v
	}
}

func reflected() {
	iter := reflect.ValueOf(numbers).MapRange()
	for iter.Next() {
		total += int(iter.Value().Int()) + len(iter.Key().String())
	}
}

func reflectedInto() {
	iter := reflect.ValueOf(numbers).MapRange()
	var key string
	var value int
	k, v := reflect.ValueOf(&key).Elem(), reflect.ValueOf(&value).Elem()
	for iter.Next() {
		k.SetIterKey(iter)
		v.SetIterValue(iter)
		total += value + len(key)
	}
}

func marshalled() { output, _ = json.Marshal(numbers) }

// fastest returns the least nanoseconds of five calls: another load can only make it more.
func fastest(f func()) int64 {
	least := int64(1) << 62
	for i := 0; i < 5; i++ {
		began := time.Now()
		f()
		least = min(least, int64(time.Since(began)))
	}
	return least
}

func costs() {
	for i := 0; i < entries; i++ {
		numbers["key"+strconv.Itoa(i)] = i
	}
	for name, f := range map[string]func(){
		"ranged": ranged, "reflected": reflected, "reflected_into": reflectedInto, "marshalled": marshalled,
	} {
		_, objects := measure.Allocated(f)
		measure.Print(name+"_allocs", objects)
		measure.Print(name+"_ns", fastest(f))
	}
	single := map[string]int{"a": 1}
	iter := reflect.ValueOf(single).MapRange()
	iter.Next()
	value := iter.Value()
	single["a"] = 2
	measure.Print("value_after_write", value.Int())
	measure.Print("value_can_be_addressed", value.CanAddr())

	source := strings.Repeat("x", 1024)
	copied, _ := measure.Allocated(func() { output = []byte(source) })
	measure.Print("copied_bytes", copied)
	viewed, _ := measure.Allocated(func() { output = unsafe.Slice(unsafe.StringData(source), len(source)) })
	measure.Print("viewed_bytes", viewed)
}

func main() {
	if os.Args[1] == "costs" {
		costs()
		return
	}
	unsafe.Slice(unsafe.StringData(text), len(text))[0] = 'A'
}
