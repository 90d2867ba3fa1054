package main

import (
	"encoding/binary"
	"fmt"
	"sort"
)

// block is an object of a dump, or a segment of variables: memory, and where in it pointers stand.
type block struct {
	address uint64
	content []byte
	offsets []uint64
}

func (b block) pointers() (found []uint64) {
	for _, offset := range b.offsets {
		if offset+8 <= uint64(len(b.content)) {
			found = append(found, binary.LittleEndian.Uint64(b.content[offset:]))
		}
	}
	return found
}

type heap struct {
	objects  []block // by address
	segments []block
}

// word returns the word at an address within a segment.
func (h *heap) word(address uint64) uint64 {
	for _, s := range h.segments {
		if s.address <= address && address+8 <= s.address+uint64(len(s.content)) {
			return binary.LittleEndian.Uint64(s.content[address-s.address:])
		}
	}
	return 0
}

type reader struct{ rest []byte }

func (r *reader) number() uint64 {
	value, size := binary.Uvarint(r.rest)
	if size <= 0 {
		panic("the dump is cut off")
	}
	r.rest = r.rest[size:]
	return value
}

func (r *reader) bytes() []byte {
	size := r.number()
	found := r.rest[:size]
	r.rest = r.rest[size:]
	return found
}

func (r *reader) block() block {
	b := block{address: r.number(), content: r.bytes()}
	b.offsets = r.fields()
	return b
}

func (r *reader) fields() (offsets []uint64) {
	for r.number() != 0 {
		offsets = append(offsets, r.number())
	}
	return offsets
}

// skip passes a record: n stands for a number, b for bytes, f for a list of fields.
func (r *reader) skip(shape string) {
	for _, part := range shape {
		switch part {
		case 'n':
			r.number()
		case 'b':
			r.bytes()
		case 'f':
			r.fields()
		}
	}
}

// shapes of the records that are passed, by their tags (runtime/heapdump.go). Statistics of memory (10) are
// 24 numbers, 256 pauses and the number of collections.
var shapes = map[uint64]string{
	2: "bn", 3: "nnbn", 4: "nnnnnnnnbnnnn", 5: "nnnbnnnbf", 6: "nnnnbbn", 7: "nnnnn", 8: "nn", 9: "nnn",
	11: "nnnnn", 14: "nnnnnnn", 15: "nnnnnn", 17: "nn",
}

func read(dump []byte) *heap {
	const header = "go1.7 heap dump\n"
	if string(dump[:len(header)]) != header {
		panic("this is no heap dump")
	}
	h := &heap{}
	r := &reader{dump[len(header):]}
	for {
		switch tag := r.number(); tag {
		case 0:
			sort.Slice(h.objects, func(i, j int) bool { return h.objects[i].address < h.objects[j].address })
			return h
		case 1:
			h.objects = append(h.objects, r.block())
		case 12, 13:
			h.segments = append(h.segments, r.block())
		case 10:
			for i := 0; i < 24+256+1; i++ {
				r.number()
			}
		case 16:
			r.skip("nn")
			for frames := r.number(); frames > 0; frames-- {
				r.skip("bbn")
			}
			r.skip("nn")
		default:
			shape, known := shapes[tag]
			if !known {
				panic(fmt.Sprint("unknown record ", tag))
			}
			r.skip(shape)
		}
	}
}
