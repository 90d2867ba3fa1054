// Described has one of everything that debug information says about Go, and reports on itself what the runtime
// knows of its functions: "fact NAME VALUES..." lines for the tests to compare with.
package main

import (
	"bufio"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"sync"
)

const Answer = 42

type Kind int

const Negative Kind = -7

type inner struct {
	a uint8
	b [3]uint16
}

type entry struct {
	inner
	body []byte
	next *entry
	hook func(int) error
	any  interface{}
	err  error
	set  map[string]*entry
	pipe chan Kind
	done struct{}
}

type list[T any] struct {
	value T
	next  *list[T]
}

func (l *list[T]) push(value T) *list[T] { return &list[T]{value, l} }

var (
	cache = map[string]*entry{}
	mutex sync.Mutex
	table [5]entry
	names list[string]
	count Kind
	sink  interface{}
)

var out = bufio.NewWriter(os.Stdout)

//go:noinline
func results(first int, second string) (sum int, err error) {
	sum = first + len(second)
	return sum, nil
}

func smallest(a, b int) int {
	local := a
	if b < local {
		local = b
	}
	return local
}

func twice(a, b int) int { return smallest(a, b) + smallest(b, a+1) }

//go:noinline
func captures(n int) func() int {
	buffer := make([]byte, n)
	total := n
	return func() int {
		total += len(buffer)
		return total
	}
}

func where() []uintptr {
	pcs := make([]uintptr, 16)
	return pcs[:runtime.Callers(1, pcs)]
}

func inside() []uintptr { return where() }

func middle() []uintptr { return inside() }

//go:noinline
func outer() []uintptr { return middle() }

func fact(name string, values ...string) {
	out.WriteString(name)
	for _, value := range values {
		out.WriteString("\t" + value)
	}
	out.WriteString("\n")
}

func number(n uintptr) string { return strconv.FormatUint(uint64(n), 10) }

func stack() {
	frames := runtime.CallersFrames(outer())
	for {
		frame, more := frames.Next()
		fact("stack", number(frame.PC), frame.Function, frame.File, strconv.Itoa(frame.Line))
		if !more {
			return
		}
	}
}

// sample tells what the runtime finds at every step-th pc, counted from main.results.
func sample(first, last, step int) {
	base := reflect.ValueOf(results).Pointer()
	for at := first; at < last; at += step {
		pc := uintptr(int(base) + at)
		f := runtime.FuncForPC(pc)
		if f == nil {
			fact("none", strconv.Itoa(at))
			continue
		}
		frame, _ := runtime.CallersFrames([]uintptr{pc + 1}).Next()
		fact("pc", strconv.Itoa(at), frame.Function, frame.File, strconv.Itoa(frame.Line))
	}
}

func main() {
	sum, _ := results(len(os.Args), "four")
	names = *names.push(strconv.Itoa(twice(sum, Answer)))
	count = Negative
	cache["one"] = &entry{body: make([]byte, sum), next: &table[0]}
	sink = captures(sum)()
	mutex.Lock()
	var numbers *list[int]
	numbers = numbers.push(sum)
	runtime.KeepAlive(numbers)
	fact("base", number(reflect.ValueOf(results).Pointer()))
	stack()
	if len(os.Args) == 4 {
		bounds := make([]int, 3)
		for i := range bounds {
			bounds[i], _ = strconv.Atoi(os.Args[i+1])
		}
		sample(bounds[0], bounds[1], bounds[2])
	}
	out.Flush()
}
