//go:build go1.24

package main

import (
	"runtime"
	"unsafe"
	"weak"
)

var weakPointer weak.Pointer[Body]

func newer() {
	// Something else keeps the target, so the handle stays.
	weakPointer = weak.Make(globalBody)
}

//go:noinline
func attachCleanup() {
	a := &attached{body: body("only cleaned object")}
	println("Body", "cleaned object", uintptr(unsafe.Pointer(a)))
	runtime.AddCleanup(a, func(b *Body) { use(b) }, body("cleanup argument"))
}

//go:noinline
func stuckCleanups() {
	for i := 0; i < 200; i++ {
		a := &attached{body: globalBody}
		runtime.AddCleanup(a, func(b *Body) {
			<-forever
			use(b)
		}, body("queued cleanup"))
	}
}
