// What unsafe.Pointer, uintptr and slice headers keep alive.
package main

import (
	"os"
	"reflect"
	"unsafe"

	"lab/measure"
)

type block [1 << 20]byte

// Globals, so that what is measured is held however little the compiler thinks of it.
var (
	pointer unsafe.Pointer
	number  uintptr
	//lint:ignore SA1019 the deprecated header is what is measured
	header  reflect.SliceHeader
	garbage []byte
)

//go:noinline
func throughPointer() *int {
	x := 42
	return (*int)(unsafe.Pointer(&x))
}

// overwrite allocates enough for freed memory to be used again, each byte not 0.
func overwrite() {
	for i := 0; i < 2000; i++ {
		garbage = make([]byte, 32<<10)
		for at := range garbage {
			garbage[at] = 0xAA
		}
	}
	garbage = nil
}

func held(name string, hold func()) {
	before := measure.Live()
	hold()
	measure.Print(name, measure.Live()-before)
}

func main() {
	switch os.Args[1] {
	case "holding":
		held("pointer_holds_bytes", func() { pointer = unsafe.Pointer(new(block)) })
		held("number_holds_bytes", func() { number = uintptr(unsafe.Pointer(new(block))) })
		held("header_holds_bytes", func() {
			array := new(block)
			slice := array[:10]
			header = *(*reflect.SliceHeader)(unsafe.Pointer(&slice))
			array[0] = 1
		})
		measure.Print("header_len", header.Len)
		measure.Print("header_data_type", reflect.TypeOf(header.Data).String())
	case "dangling":
		p := throughPointer()
		overwrite()
		measure.Live()
		measure.Print("value_afterwards", *p)
	case "headers":
		slice := []int{1, 2, 3}
		words := (*[3]uintptr)(unsafe.Pointer(&slice))
		measure.Print("slice_variable_bytes", int(unsafe.Sizeof(slice)))
		measure.Print("header_is_pointer_len_cap", words[0] == uintptr(unsafe.Pointer(&slice[0])) && words[1] == 3 && words[2] == 3)
		measure.Print("second_by_add", *(*int)(unsafe.Add(unsafe.Pointer(&slice[0]), unsafe.Sizeof(slice[0]))))
		measure.Print("second_by_slice", unsafe.Slice(&slice[0], 3)[1])
	}
}
