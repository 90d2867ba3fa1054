// Package escape takes the address of a variable through unsafe.Pointer.
package escape

import "unsafe"

func throughPointer() *int {
	x := 42 //lab:variable
	return (*int)(unsafe.Pointer(&x))
}
