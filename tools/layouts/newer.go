//go:build go1.24

package main

import (
	"runtime"
	"unique"
	"weak"
)

func newer() {
	object := &node{}
	runtime.AddCleanup(object, func(string) {}, "argument").Stop()
	println(weak.Make(object).Value(), unique.Make("text").Value())
}
