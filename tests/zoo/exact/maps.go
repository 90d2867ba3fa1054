package main

import (
	"strconv"
	"sync"
)

type wideKey [20]int64 // 160 B: maps keep keys over 128 B indirectly

type wideValue struct {
	pad [20]int64
	ref *payload
}

type wideKeyRef struct {
	pad [20]int64
	ref *payload
}

var (
	mapNil        map[string]int
	mapEmpty      = map[string]*event{}
	mapSmall      = map[string]*event{}
	mapSmallPlain = map[int]int{}
	mapGroupFull  = map[int]*event{}
	mapMany       = map[string]*event{}
	mapPlain      = map[int64]int64{}
	mapPlainBytes = map[[4]byte][12]byte{}
	mapWideKey    = map[wideKey]*event{}
	mapWideRef    = map[wideKeyRef]int{}
	mapWideValue  = map[int]wideValue{}
	mapWidePlain  = map[wideKey]wideKey{}
	mapSlices     = map[string][]byte{}
	mapStructs    = map[string]event{}
	mapNested     = map[string]map[string]int{}
	mapSet        = map[*event]struct{}{}
	mapSetPlain   = map[uint32]struct{}{}
	mapAny        = map[any]any{}
	mapFloat      = map[float64]*payload{}
	mapGrowing    = map[int]*event{}
	mapGrowPlain  = map[int]int{}
	mapShrunk     = map[int]*event{}
	mapCleared    = map[int]*event{}
	mapHinted     = make(map[string]*event, 5000)
	mapBools      = map[bool]*event{}
	mapInStruct   struct {
		mu sync.Mutex
		m  map[int]string
	}
	syncMap sync.Map
)

func buildMaps() {
	fillPointerful()
	fillPlain()
	fillWide()
	fillShaped()
	countMaps()
}

func fillPointerful() {
	for i := 0; i < 5; i++ {
		mapSmall["small"+strconv.Itoa(i)] = newEvent(i)
	}
	for i := 0; i < 8; i++ {
		mapGroupFull[i] = newEvent(i)
	}
	for i := 0; i < 6000; i++ { // several tables in a swiss map's directory
		mapMany["key-"+strconv.Itoa(i)] = newEvent(i)
	}
	for i := 0; i < 300; i++ {
		mapSlices[strconv.Itoa(i)] = make([]byte, i)
		mapStructs[strconv.Itoa(i)] = *newEvent(i)
		mapNested[strconv.Itoa(i)] = map[string]int{"one": 1, "two": i}
		mapSet[newEvent(i)] = struct{}{}
		mapFloat[float64(i)/3] = newPayload(i)
		mapAny[i], mapAny[strconv.Itoa(i)], mapAny[rect{name: strconv.Itoa(i)}] = i+1000, newEvent(i), "text"
		mapHinted[strconv.Itoa(i)] = newEvent(i)
		syncMap.Store("k"+strconv.Itoa(i), newPayload(i))
	}
	mapBools[true], mapBools[false] = newEvent(1), newEvent(0)
	mapInStruct.m = map[int]string{1: "one", 2: "two" + strconv.Itoa(len(mapMany))}
}

func fillPlain() {
	for i := 0; i < 5; i++ {
		mapSmallPlain[i] = i
	}
	for i := 0; i < 4000; i++ {
		mapPlain[int64(i)] = int64(i)
		mapSetPlain[uint32(i)] = struct{}{}
	}
	for i := 0; i < 200; i++ {
		mapPlainBytes[[4]byte{byte(i), 1}] = [12]byte{byte(i)}
	}
}

func fillWide() {
	for i := 0; i < 400; i++ {
		mapWideKey[wideKey{int64(i)}] = newEvent(i)
		mapWideRef[wideKeyRef{ref: newPayload(i)}] = i
		mapWideValue[i] = wideValue{ref: newPayload(i)}
		mapWidePlain[wideKey{int64(i)}] = wideKey{int64(i)}
	}
}

// fillShaped leaves maps in the middle of growing (classic maps move their buckets bit by bit: 6.5 entries a
// bucket is when the table doubles), with deleted slots, and emptied.
func fillShaped() {
	grown := 13*(1<<7)/2 + 3
	for i := 0; i < grown; i++ {
		mapGrowing[i] = newEvent(i)
		mapGrowPlain[i] = i
	}
	for i := 0; i < 3000; i++ {
		mapShrunk[i] = newEvent(i)
		mapCleared[i] = newEvent(i)
	}
	for i := 0; i < 3000; i++ {
		if i%10 != 0 {
			delete(mapShrunk, i)
		}
		delete(mapCleared, i)
	}
}

func countMaps() {
	mapFact = []mapCount{
		{"main.mapEmpty", len(mapEmpty)},
		{"main.mapSmall", len(mapSmall)},
		{"main.mapSmallPlain", len(mapSmallPlain)},
		{"main.mapGroupFull", len(mapGroupFull)},
		{"main.mapMany", len(mapMany)},
		{"main.mapPlain", len(mapPlain)},
		{"main.mapPlainBytes", len(mapPlainBytes)},
		{"main.mapWideKey", len(mapWideKey)},
		{"main.mapWideRef", len(mapWideRef)},
		{"main.mapWideValue", len(mapWideValue)},
		{"main.mapWidePlain", len(mapWidePlain)},
		{"main.mapSlices", len(mapSlices)},
		{"main.mapStructs", len(mapStructs)},
		{"main.mapNested", len(mapNested)},
		{"main.mapSet", len(mapSet)},
		{"main.mapSetPlain", len(mapSetPlain)},
		{"main.mapAny", len(mapAny)},
		{"main.mapFloat", len(mapFloat)},
		{"main.mapGrowing", len(mapGrowing)},
		{"main.mapGrowPlain", len(mapGrowPlain)},
		{"main.mapShrunk", len(mapShrunk)},
		{"main.mapCleared", len(mapCleared)},
		{"main.mapHinted", len(mapHinted)},
		{"main.mapBools", len(mapBools)},
		{"main.mapInStruct", len(mapInStruct.m)},
	}
	if mapNil != nil {
		panic("mapNil was written")
	}
}
