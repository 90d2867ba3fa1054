// What taking values out of maps of interfaces, and out of nil maps, panics with.
package main

import (
	"fmt"

	"lab/measure"
)

// try prints what f panics with, or "nothing".
func try(name string, f func()) {
	defer func() {
		if reason := recover(); reason != nil {
			measure.Print(name, fmt.Sprint(reason))
		} else {
			measure.Print(name, "nothing")
		}
	}()
	f()
}

func main() {
	m := map[string]any{"nothing": nil, "number": 1}
	try("missing_asserted", func() { _ = m["missing"].(string) })
	try("nil_asserted", func() { _ = m["nothing"].(string) })
	try("number_asserted", func() { _ = m["number"].(string) })
	try("missing_asserted_any", func() { _ = m["missing"].(any) })
	try("nil_asserted_any", func() { _ = m["nothing"].(any) })
	try("present_nil_asserted", func() {
		if value, ok := m["nothing"]; ok {
			_ = value.(string)
		}
	})
	try("present_number_asserted", func() {
		if value, ok := m["number"]; ok {
			_ = value.(string)
		}
	})
	try("asserted_with_ok", func() { _, _ = m["number"].(string) })
	try("switched", func() {
		switch m["missing"].(type) {
		case string:
		}
	})

	var none map[string]int
	try("nil_map_read", func() { _, _ = none["a"] })
	try("nil_map_rest", func() {
		_ = len(none)
		for range none {
		}
		delete(none, "a")
	})
	try("nil_map_written", func() { none["a"] = 1 })
}
