// Uses what of the standard library makes the linker keep debug information of the structs that goretain
// asks for: the linker describes only types that code or variables of the program still refer to.
package main

import (
	"bufio"
	"bytes"
	"container/list"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"reflect"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"runtime/trace"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type node struct {
	next *node
	name string
}

var (
	pool    = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	table   sync.Map
	pointer atomic.Pointer[node]
	value   atomic.Value
	once    sync.Once
	lock    sync.RWMutex
	named   = map[string]*node{}
	boxed   = map[any]any{}
)

func contexts() {
	background, cancel := context.WithCancelCause(context.Background())
	defer cancel(os.ErrClosed)
	inner, stop := context.WithTimeout(context.WithValue(background, node{}, 1), time.Hour)
	defer stop()
	context.AfterFunc(context.WithoutCancel(inner), func() {})
	<-inner.Done()
}

func timers() {
	ticker, timer := time.NewTicker(time.Hour), time.NewTimer(time.Hour)
	time.AfterFunc(time.Hour, func() {}).Stop()
	select {
	case <-ticker.C:
	case <-timer.C:
	case <-time.After(1):
	}
}

func synchronised() {
	var group sync.WaitGroup
	condition := sync.NewCond(&lock)
	group.Add(1)
	go func() {
		defer group.Done()
		once.Do(func() { pool.Put(pool.Get()) })
		condition.Broadcast()
	}()
	table.Store("key", &node{})
	table.LoadOrStore("other", &node{})
	table.CompareAndSwap("key", 1, 2)
	table.Range(func(key, value any) bool { table.Delete(key); return true })
	pointer.Store(&node{})
	value.Store(named)
	group.Wait()
}

func reflected() {
	made := reflect.MakeFunc(reflect.TypeOf(contexts), func([]reflect.Value) []reflect.Value { return nil })
	method := reflect.ValueOf(&lock).MethodByName("Lock").Interface()
	chosen, _, _ := reflect.Select([]reflect.SelectCase{{Dir: reflect.SelectDefault}})
	fmt.Println(made.Interface(), method, chosen, reflect.MakeMap(reflect.TypeOf(boxed)))
	reflect.New(reflect.StructOf(nil))
}

func observed() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	metrics.Read([]metrics.Sample{{Name: "/gc/heap/live:bytes"}})
	debug.WriteHeapDump(1)
	trace.Start(os.Stderr)
	pprof.Do(context.Background(), pprof.Labels("a", "b"), func(context.Context) {})
	pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
	var pinner runtime.Pinner
	pinner.Pin(&node{})
	runtime.SetFinalizer(&node{}, func(*node) {})
	fmt.Println(netip.MustParseAddr("fe80::1%eth0"), list.New(), bufio.NewReader(strings.NewReader("")))
}

func main() {
	for _, f := range []func(){contexts, timers, synchronised, reflected, observed, newer} {
		go f()
	}
	boxed[named] = len(os.Args)
	select {}
}
