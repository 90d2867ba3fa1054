// Command mapsizes makes maps of many sizes twice: one grows to its entries, one is made for as many and empty.
//
// Some of those that grew are left in the middle of growing.
package main

import (
	"runtime"
	"syscall"
)

var (
	grown            []map[int]any
	made             []map[int]any
	plain, madePlain []map[int]int
)

func main() {
	for n := 10; n < 1780; n += 7 {
		pointers, numbers := map[int]any{}, map[int]int{}
		for i := 0; i < n; i++ {
			pointers[i], numbers[i] = nil, i
		}
		grown, plain = append(grown, pointers), append(plain, numbers)
		made, madePlain = append(made, make(map[int]any, n)), append(madePlain, make(map[int]int, n))
	}
	println("Maps", len(made))
	runtime.GC()
	println("READY")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}
