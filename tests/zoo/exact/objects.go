package main

import (
	"container/list"
	"context"
	"fmt"
	"math/big"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

type payload struct {
	a, b int64
	data []byte
}

type event struct {
	id      int64
	name    string
	payload *payload
	tags    []string
	next    *event
}

type tree struct {
	left, right *tree
	key         int64
	payload     *payload
}

// A headered value is larger than 512 B and has pointers: from Go 1.22 its slot begins with its type.
type headered struct {
	pad  [100]int64
	ref  *payload
	more [4]*event
}

// A vast value is too large for a precomputed pointer mask: GC program before Go 1.24, mask on demand since.
type vast struct {
	slots [20000]struct {
		p *payload
		n int64
	}
	last *event
}

// A scalarTail value has its only pointer first: the words behind PtrBytes are never scanned.
type scalarTail struct {
	p    *payload
	rest [200]int64
}

type shape interface{ area() float64 }

type square struct{ width float64 }

type rect struct {
	width, height float64
	name          string
}

func (s *square) area() float64 { return s.width * s.width }
func (r rect) area() float64    { return r.width * r.height }

type generic[T any] struct {
	value T
	pad   [10]int64
	next  *generic[T]
}

type resource struct {
	fd   int
	note string
	held *payload
}

type service struct {
	name  string
	state *payload
}

func (s *service) handle() string { return s.name }

type contextKey struct{ name string }

type node struct {
	value int
	next  *node
}

var (
	roots       *tree
	linked      *node
	doubly      = list.New()
	headers     []*headered
	events      []event // large object, size class 0, several elements
	eventRefs   []*event
	headerArray []headered // several elements behind one largeType
	midArray    *[40]event // malloc header, several elements
	smallArray  *[5]event  // inline bitmap, several elements
	vastOne     *vast
	vastTwo     []vast
	tails       []*scalarTail
	tailArray   []scalarTail
	boxes       []any
	shapes      []shape
	closures    []func() int
	methods     []func() string
	loose       atomic.Pointer[payload]
	looseMany   [10]atomic.Pointer[event]
	value       atomic.Value
	interior    []*int64
	unsafes     []unsafe.Pointer
	interned    []string
	substrings  []string
	subslices   [][]byte
	resources   []*resource
	contexts    context.Context
	cancels     []context.CancelFunc
	timers      []*time.Timer
	pool        = sync.Pool{New: func() any { return new(payload) }}
	numbers     []*big.Int
	patterns    []*regexp.Regexp
	generics    []*generic[map[string]int]
	chanPlain   = make(chan int, 1000)
	chanPtr     = make(chan *event, 64)
	chanStruct  = make(chan event, 64)
	chanEmpty   = make(chan *event)
	reflected   []any
	tiny        []*int8
	errs        []error
	bigPlain    []byte
	fixed       [50]struct {
		p *payload
		n int
	}
	pipes []*os.File
)

func newTree(depth int) *tree {
	if depth == 0 {
		return nil
	}
	return &tree{left: newTree(depth - 1), right: newTree(depth - 1), key: int64(depth), payload: newPayload(depth)}
}

func newPayload(n int) *payload { return &payload{a: int64(n), data: make([]byte, n%300+1)} }

func newEvent(n int) *event {
	name := "event-" + strconv.Itoa(n)
	return &event{id: int64(n), name: name, payload: newPayload(n), tags: []string{name, "tag"}}
}

func buildObjects() {
	buildPointers()
	buildArrays()
	buildInterfaces()
	buildFunctions()
	buildStandardLibrary()
	buildChannels()
	buildReflected()
}

func buildPointers() {
	roots = newTree(12)
	for i := 0; i < 3000; i++ {
		linked = &node{i, linked}
		doubly.PushBack(newPayload(i))
	}
	for i := 0; i < 300; i++ {
		h := &headered{ref: newPayload(i)}
		h.more[i%4] = newEvent(i)
		headers = append(headers, h)
		tails = append(tails, &scalarTail{p: newPayload(i)})
		interior = append(interior, &newEvent(i).id, &newPayload(i).b)
		unsafes = append(unsafes, unsafe.Pointer(newEvent(i)))
		fixed[i%50].p = newPayload(i)
		small := int8(i)
		tiny = append(tiny, &small)
	}
	loose.Store(newPayload(7))
	for i := range looseMany {
		looseMany[i].Store(newEvent(i))
	}
	value.Store(newEvent(1))
	for i := 0; i < 50; i++ {
		generics = append(generics, &generic[map[string]int]{value: map[string]int{"a": i, "b": i}})
		text := strings.Repeat("abcdefgh", 40+i)
		interned = append(interned, text)
		substrings = append(substrings, strings.Repeat("x", 4000)[100:110])
		subslices = append(subslices, make([]byte, 9000)[50:60:80])
	}
}

func buildArrays() {
	events = make([]event, 2000)
	for i := range events {
		events[i] = *newEvent(i)
		eventRefs = append(eventRefs, newEvent(i))
	}
	headerArray = make([]headered, 90)
	for i := range headerArray {
		headerArray[i].ref = newPayload(i)
		headerArray[i].more[3] = newEvent(i)
	}
	midArray = new([40]event)
	for i := range midArray {
		midArray[i] = *newEvent(i)
	}
	smallArray = new([5]event)
	for i := range smallArray {
		smallArray[i] = *newEvent(i)
	}
	vastOne = new(vast)
	vastTwo = make([]vast, 3)
	for i := 0; i < 20000; i += 97 {
		vastOne.slots[i].p = newPayload(i)
		vastTwo[2].slots[i].p = newPayload(i)
	}
	vastOne.last, vastTwo[1].last = newEvent(1), newEvent(2)
	tailArray = make([]scalarTail, 100)
	for i := range tailArray {
		tailArray[i].p = newPayload(i)
	}
	bigPlain = make([]byte, 5<<20)
}

func buildInterfaces() {
	for i := 0; i < 800; i++ {
		switch i % 6 {
		case 0:
			boxes = append(boxes, i+100000)
		case 1:
			boxes = append(boxes, "text"+strconv.Itoa(i))
		case 2:
			boxes = append(boxes, rect{1, 2, "named" + strconv.Itoa(i)})
		case 3:
			boxes = append(boxes, &square{3})
		case 4:
			boxes = append(boxes, map[string]int{"k": i}) // direct: a map is one pointer
		case 5:
			boxes = append(boxes, [1]*event{newEvent(i)}) // direct array of one pointer
		}
		if i%2 == 0 {
			shapes = append(shapes, &square{2})
		} else {
			shapes = append(shapes, rect{1, 2, "n"})
		}
	}
}

//go:noinline
func capture(n int) func() int {
	kept, counter := newEvent(n), n
	return func() int { counter++; return counter + len(kept.name) }
}

func buildFunctions() {
	for i := 0; i < 100; i++ {
		closures = append(closures, capture(i))
		s := &service{name: "service" + strconv.Itoa(i), state: newPayload(i)}
		methods = append(methods, s.handle)
	}
}

func buildStandardLibrary() {
	for i := 0; i < 60; i++ {
		r := &resource{fd: i, note: "note" + strconv.Itoa(i), held: newPayload(i)}
		runtime.SetFinalizer(r, func(r *resource) { r.fd = -1 })
		resources = append(resources, r)
		pool.Put(newPayload(i))
		numbers = append(numbers, new(big.Int).Exp(big.NewInt(7), big.NewInt(int64(50*i)), nil))
		errs = append(errs, fmt.Errorf("wrapped %d: %w", i, os.ErrNotExist))
		kept := newEvent(i)
		timers = append(timers, time.AfterFunc(time.Hour, func() { kept.id++ }), time.NewTimer(time.Hour))
	}
	for i := 0; i < 5; i++ {
		patterns = append(patterns, regexp.MustCompile(`^(foo|bar)`+strconv.Itoa(i)+`[a-z]+(\d{2,4})?$`))
	}
	contexts = context.Background()
	for i := 0; i < 12; i++ {
		contexts = context.WithValue(contexts, contextKey{strconv.Itoa(i)}, newPayload(i))
		child, cancel := context.WithCancel(contexts)
		contexts, cancels = child, append(cancels, cancel)
	}
}

// dropSome lets go of some objects with finalizers after the last collection: nothing holds them, and what they
// point to is held by their finalizers.
func dropSome() {
	for i := 40; i < len(resources); i++ {
		resources[i] = nil
	}
}

func buildChannels() {
	for i := 0; i < 60; i++ {
		chanPlain <- i
		chanPtr <- newEvent(i)
		chanStruct <- *newEvent(i)
	}
	for i := 0; i < 30; i++ { // wrapped around the end of its ring
		<-chanPtr
		chanPtr <- newEvent(i)
	}
}

// buildReflected makes values whose types exist on the heap only.
func buildReflected() {
	pointer := reflect.TypeOf((*payload)(nil))
	for _, length := range []int{3, 300, 9000, 40000} {
		array := reflect.New(reflect.ArrayOf(length, pointer))
		for i := 0; i < length; i += 50 {
			array.Elem().Index(i).Set(reflect.ValueOf(newPayload(i)))
		}
		reflected = append(reflected, array.Interface())
	}
	record := reflect.StructOf([]reflect.StructField{
		{Name: "Count", Type: reflect.TypeOf(0)},
		{Name: "Ref", Type: pointer},
		{Name: "Pad", Type: reflect.TypeOf([70]int64{})},
		{Name: "Refs", Type: reflect.SliceOf(pointer)},
	})
	for i := 0; i < 20; i++ {
		made := reflect.New(record)
		made.Elem().Field(1).Set(reflect.ValueOf(newPayload(i)))
		reflected = append(reflected, made.Interface())
	}
	table := reflect.MakeMap(reflect.MapOf(reflect.TypeOf(""), record))
	for i := 0; i < 40; i++ {
		table.SetMapIndex(reflect.ValueOf("key"+strconv.Itoa(i)), reflect.New(record).Elem())
	}
	reflected = append(reflected, table.Interface())
}
