// Command ways pins large arrays and texts by small parts, in every kind of place that Go has for a slice or a
// string. Its module is named like a folder of the standard library. Each variable holds COUNT parts; it prints
//
//	Hidden HOLDER COUNT BYTES    bytes that no slice or string shows, by construction
//	Front HOLDER    its parts begin at the first byte: they look like buffers in use
package main

import (
	"container/list"
	"database/ways/store"
	"encoding/pem"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	count = 40
	size  = 32 << 10
)

type node struct{ payload [512]byte }

type box[T any] struct{ value T }

var (
	inClosures []func() int
	inChannel  = make(chan []byte, count)
	inAny      []any
	inSyncMap  sync.Map
	inKeys     = map[string]int{}
	inGeneric  = map[int]*box[[]byte]{}
	inPointers [][]*node
	inList     = list.New()
	inArray    [count][]byte
	inNested   = map[int]map[string]string{}
	inStruct   struct {
		mu   sync.Mutex
		deep struct{ tags []string }
	}
	inBuilders []string
	inFront    = map[int][]byte{}
	inSlots    = map[int][]byte{}
	inLibrary  []*pem.Block
	inModule   []*store.Entry
	inRead     = make(chan int)
)

func bytes() []byte { return make([]byte, size) }
func text() string  { return strings.Repeat("k", size) }

func closure() func() int {
	part := bytes()[100:110]
	return func() int { return len(part) }
}

func built() string {
	var builder strings.Builder
	builder.Grow(size)
	builder.WriteString("short")
	return builder.String()
}

func nodes(n int) []*node {
	all := make([]*node, n)
	for k := range all {
		all[k] = new(node)
	}
	return all
}

//go:noinline
func plant(i int) {
	inClosures = append(inClosures, closure())
	inChannel <- bytes()[100:110]
	inAny = append(inAny, bytes()[100:110])
	inSyncMap.Store(i, bytes()[100:110])
	inKeys[text()[i:i+20+i]] = i
	inGeneric[i] = &box[[]byte]{bytes()[1:2]}
	inPointers = append(inPointers, nodes(256)[5:6])
	inList.PushBack(bytes()[100:110])
	inArray[i] = bytes()[7:9]
	inNested[i] = map[string]string{"x": text()[3:8]}
	inStruct.deep.tags = append(inStruct.deep.tags, text()[9:12])
	inBuilders = append(inBuilders, built())
	inFront[i] = bytes()[:10]
	inSlots[i] = bytes()[100:110:110]
	inLibrary = append(inLibrary, &pem.Block{Bytes: bytes()[100:110]})
	inModule = append(inModule, store.New(bytes()[100:110]))
}

//go:noinline
func cuts() map[int]string {
	parts := map[int]string{}
	for i := 0; i < count; i++ {
		parts[i] = text()[3:8]
	}
	return parts
}

// reader keeps its parts while it waits for the kernel, which never answers.
//
//go:noinline
func reader() {
	var fds [2]int
	var one [1]byte
	syscall.Pipe(fds[:])
	parts := cuts()
	close(inRead)
	syscall.Read(fds[0], one[:])
	println(len(parts), parts[0])
}

func main() {
	go reader()
	<-inRead
	keys := 0
	for i := 0; i < count; i++ {
		plant(i)
		keys += 20 + i
	}
	for holder, shown := range map[string]int{
		"main.inClosures": 10, "main.inChannel": 10, "main.inAny": 10, "main.inSyncMap": 10, "main.inGeneric": 1,
		"main.inList": 10, "main.inArray": 2, "main.inNested": 5, "main.inStruct": 3, "main.inBuilders": 5,
		"main.inFront": 10, "main.inSlots": 10, "main.inLibrary": 10, "main.inModule": 10, "main.reader": 5,
	} {
		println("Hidden", holder, count, count*(size-shown))
	}
	println("Hidden", "main.inKeys", count, count*size-keys)
	println("Hidden", "main.inPointers", count, count*255*8)
	println("Front", "main.inFront")
	println("Behind", "main.inPointers", count*255*512)
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	println("READY")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}
