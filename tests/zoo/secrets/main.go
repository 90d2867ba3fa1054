// secrets plants a random marker in every kind of place that Go memory has, and prints where each is.
//
// A marker is made at run time, so that it stands in no binary. Arguments and environment are planted by whoever starts it.
package main

import (
	"context"
	"crypto/rand"
	"os"
	"reflect"
	"runtime"
	"runtime/pprof"
	"time"
	"unsafe"
)

const size = 32

type account struct {
	token [size]byte
	next  *account
}

type holder struct {
	name string
	body []byte
	raw  [size]byte
	peer *holder
}

var (
	globalArray  [size]byte
	globalString string
	globalBytes  []byte
	globalPair   struct {
		token [size]byte
		next  *account
	}
	sized     = map[int][]byte{}
	accounts  []*account
	boxed     any
	byName    = map[string]*holder{}
	byToken   = map[[size]byte]int{}
	values    = map[int][size]byte{}
	queue     = make(chan [size]byte, 4)
	sentences []string
	wide      []uint16
	records   []any
	deferred  func() string
	finished  = make(chan struct{})
)

// plant writes a marker where it belongs, and prints it as hexadecimal digits, which are not the marker. It
// leaves no other copy: a marker that is found was found at its place.
//
//go:noinline
func plant(place string, marker []byte) {
	if _, err := rand.Read(marker); err != nil {
		panic(err)
	}
	for i := range marker {
		marker[i] = marker[i]%26 + 'A'
	}
	print("planted ", place, " ")
	for _, c := range marker {
		print(string("0123456789abcdef"[c>>4]), string("0123456789abcdef"[c&15]))
	}
	println()
}

// text is a new string at a place of its own.
func text(place string) string {
	marker := make([]byte, size)
	plant(place, marker)
	return unsafe.String(&marker[0], size)
}

func plantGlobals() {
	plant("global-array", globalArray[:])
	globalString = text("global-string")
	globalBytes = make([]byte, size)
	plant("global-bytes", globalBytes)
	plant("global-struct", globalPair.token[:])
}

func plantHeap() {
	for _, bytes := range []int{32, 64, 128, 256, 1024, 4096, 16384, 1 << 20} {
		sized[bytes] = make([]byte, bytes)
		plant("pointer-free-"+itoa(bytes), sized[bytes][bytes-size:])
	}
	for _, place := range []string{"pointerful", "pointerful-too"} {
		accounts = append(accounts, &account{next: &account{}})
		plant(place, accounts[len(accounts)-1].token[:])
	}
	token := new([size]byte)
	plant("boxed", token[:])
	boxed = token
	long := make([]byte, 3000)
	plant("long-text", long[1000:1000+size])
	sentences = append(sentences, unsafe.String(&long[0], len(long)))
	short := make([]byte, size)
	plant("utf16", short)
	for i, c := range short {
		wide = append(wide, uint16(c))
		short[i] = 0
	}
	column := make([]byte, size)
	plant("made-field-name", column)
	records = append(records, record(string(column)))
	for i := range column {
		column[i] = 0
	}
	captured := text("captured-by-closure")
	deferred = func() string { return captured }
}

// record is a pointer to a struct of a type made as the program runs, as database columns are read into.
func record(column string) any {
	fields := []reflect.StructField{
		{Name: column, Type: reflect.TypeOf([]byte(nil))},
		{Name: "Peer", Type: reflect.TypeOf((*holder)(nil))},
	}
	made := reflect.New(reflect.SliceOf(reflect.StructOf(fields)))
	made.Elem().Set(reflect.MakeSlice(made.Elem().Type(), 8, 8))
	return made.Interface()
}

func plantMaps() {
	held := &holder{name: text("field-string"), body: make([]byte, size)}
	plant("field-bytes", held.body)
	plant("field-array", held.raw[:])
	byName[text("map-key-string")] = held
	var scratch [size]byte
	plant("map-key-array", scratch[:])
	byToken[scratch] = 1
	plant("map-value", scratch[:])
	values[1] = scratch
	plant("channel-buffer", scratch[:])
	queue <- scratch
	for i := range scratch {
		scratch[i] = 0
	}
}

// local keeps a marker in its frame while it waits.
func local(started chan<- struct{}) {
	var token [size]byte
	plant("stack-local", token[:])
	argument(&token, started)
}

//go:noinline
func argument(token *[size]byte, started chan<- struct{}) byte {
	close(started)
	<-finished
	return token[0]
}

// labelled carries a profiler label.
func labelled(started chan<- struct{}) {
	label := text("goroutine-label")
	pprof.Do(context.Background(), pprof.Labels("user", label), func(context.Context) {
		close(started)
		<-finished
	})
}

func itoa(n int) string {
	digits := ""
	for ; n > 0 || digits == ""; n /= 10 {
		digits = string(rune('0'+n%10)) + digits
	}
	return digits
}

func main() {
	plantGlobals()
	plantHeap()
	plantMaps()
	for _, f := range []func(chan<- struct{}){local, labelled} {
		started := make(chan struct{})
		go f(started)
		<-started
	}
	runtime.GC()
	runtime.GC()
	println("READY")
	if len(os.Args) > 1 && os.Args[1] == "brief" {
		return
	}
	time.Sleep(time.Hour)
	close(finished)
	runtime.KeepAlive(deferred)
}
