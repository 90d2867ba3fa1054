// How many spans are partly full in a program that leaks and in one that does not, read from the runtime's own
// list of spans as its debug information lays it out.
package main

import (
	"debug/dwarf"
	"debug/elf"
	"os"
	"runtime"
	"unsafe"

	"lab/measure"
)

type field struct{ offset, size int64 }

// layout returns where a struct of the runtime has its fields.
func layout(data *dwarf.Data, name string) map[string]field {
	entries := data.Reader()
	for {
		entry, err := entries.Next()
		if err != nil || entry == nil {
			panic(name + " is not in the debug information")
		}
		if entry.Tag != dwarf.TagStructType || entry.Val(dwarf.AttrName) != name {
			continue
		}
		described, err := data.Type(entry.Offset)
		if err != nil {
			panic(err)
		}
		fields := map[string]field{}
		for _, f := range described.(*dwarf.StructType).Field {
			fields[f.Name] = field{f.ByteOffset, f.Type.Size()}
		}
		return fields
	}
}

func (f field) of(base unsafe.Pointer) uint64 {
	at := unsafe.Add(base, f.offset)
	switch f.size {
	case 1:
		return uint64(*(*uint8)(at))
	case 2:
		return uint64(*(*uint16)(at))
	case 4:
		return uint64(*(*uint32)(at))
	}
	return *(*uint64)(at)
}

// spans counts the spans in use, and those of them that have some but not all slots allocated.
func spans() (inUse, partial int) {
	file, err := elf.Open("/proc/self/exe")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	data, err := file.DWARF()
	if err != nil {
		panic(err)
	}
	symbols, err := file.Symbols()
	if err != nil {
		panic(err)
	}
	var heap unsafe.Pointer
	for i := range symbols {
		if symbols[i].Name == "runtime.mheap_" {
			heap = *(*unsafe.Pointer)(unsafe.Pointer(&symbols[i].Value))
		}
	}
	all := layout(data, "runtime.mheap")["allspans"]
	span := layout(data, "runtime.mspan")
	runtime.GC()
	runtime.GC()
	for _, s := range *(*[]unsafe.Pointer)(unsafe.Add(heap, all.offset)) {
		if span["state"].of(s) != 1 {
			continue
		}
		inUse++
		if count, slots := span["allocCount"].of(s), span["nelems"].of(s); count > 0 && count < slots {
			partial++
		}
	}
	return inUse, partial
}

var (
	healthy [][]byte
	leaked  = map[int]*[512]byte{}
)

func main() {
	switch os.Args[1] {
	case "healthy":
		for i := 0; i < 200_000; i++ {
			healthy = append(healthy, make([]byte, 64))
		}
		for i := range healthy {
			if i%10 != 0 {
				healthy[i] = nil
			}
		}
	case "leaking":
		for i := 0; i < 100_000; i++ {
			leaked[i] = new([512]byte)
		}
	}
	inUse, partial := spans()
	measure.Print(os.Args[1]+"_spans", inUse)
	measure.Print(os.Args[1]+"_partial_spans", partial)
	runtime.KeepAlive(healthy)
}
