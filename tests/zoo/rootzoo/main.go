// Command rootzoo keeps one object alive by each kind of root that Go has, and says where each object is.
//
// Every object is a *Body that only the named root reaches. Facts: “Body NAME ADDRESS“. The first argument is the
// state to stop in:
//
//	quiet      after full collections; nothing runs
//	spin       goroutines run Go code with their object in registers, or were preempted in a loop
//	queued     finalizers (and cleanups) wait behind one that never returns
//
// Facts are printed by println: it does not allocate. The last line is READY.
package main

import (
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// A Body is what the roots hold.
type Body struct {
	next *Body
	n    int64
	pad  [48]byte
}

type holder struct {
	label string
	body  *Body
}

var (
	forever = make(chan struct{})
	started sync.WaitGroup
	sink    atomic.Int64
	one     int64 = 1

	globalBody   *Body
	globalHolder holder
	globalArray  [3]holder
	globalAny    any
	// A literal with pointers: its array and its elements are compiler-made statics.
	globalTable = []*holder{{label: "a"}, {label: "b"}}
)

//go:noinline
func body(name string) *Body {
	b := &Body{n: one}
	println("Body", name, uintptr(unsafe.Pointer(b)))
	return b
}

//go:noinline
func block() {
	started.Done()
	<-forever
}

//go:noinline
func use(b *Body) { sink.Add(b.n) }

// spilled receives its object in a register; the only live copy is the argument's home above the frame.
//
//go:noinline
func spilled(before int, text string, b *Body) {
	block()
	sink.Add(int64(before + len(text)))
	use(b)
}

// taken receives its object in a register too, but its address is taken: it lives in its home all the time.
//
//go:noinline
func taken(b *Body) {
	touch(&b)
	block()
	use(b)
}

//go:noinline
func touch(b **Body) { (*b).n = one }

//go:noinline
func local() {
	kept := body("local")
	block()
	use(kept)
}

func inlined(inner *Body) {
	block()
	use(inner)
}

//go:noinline
func inlines() { inlined(body("inlined")) }

// pointsToObject keeps a pointer to a variable whose address was taken: the variable is live through it.
//
//go:noinline
func pointsToObject() {
	box := holder{label: "box", body: body("stack object")}
	pointer := &box
	fill(pointer)
	block()
	use(pointer.body)
}

// deadObject has such a variable too, but nothing points to it any more.
//
//go:noinline
func deadObject() {
	box := holder{label: "box", body: body("dead stack object")}
	fill(&box)
	block()
}

//go:noinline
func fill(h *holder) { h.label += "" }

func deferred() {
	for i := 0; i < 2; i++ {
		kept := body("deferred")
		defer func() { use(kept) }()
	}
	block()
}

func panicking() {
	kept := body("panicking")
	defer func() {
		block()
		use(kept)
	}()
	var nothing *holder
	nothing.label = "fault"
}

func closure() {
	kept := body("closure")
	go func() {
		block()
		use(kept)
	}()
}

func interfaces(v any, e error) {
	block()
	sink.Add(v.(*Body).n)
	println(e.Error())
}

type failure struct{ cause *Body }

func (f *failure) Error() string { return "failure" }

func made() {
	f := reflect.MakeFunc(reflect.TypeOf(func(*Body) *Body { return nil }), func(in []reflect.Value) []reflect.Value {
		block()
		return in
	})
	f.Interface().(func(*Body) *Body)(body("made"))
}

func inSystemCall() {
	kept := body("system call")
	var fds [2]int
	if syscall.Pipe(fds[:]) != nil {
		panic("pipe")
	}
	started.Done()
	var buffer [1]byte
	_, _ = syscall.Read(fds[0], buffer[:])
	use(kept)
}

//go:noinline
func spin(b *Body) {
	for b.n != 0 {
	}
}

type attached struct{ body *Body }

// attach leaves behind an object that only its finalizer still knows.
//
//go:noinline
func attach() {
	a := &attached{body: body("finalizer")}
	println("Body", "finalized object", uintptr(unsafe.Pointer(a)))
	captured := body("finalizer function")
	runtime.SetFinalizer(a, func(a *attached) {
		use(captured)
	})
}

//go:noinline
func attachStuck() {
	for i := 0; i < 3; i++ {
		a := &attached{body: body("queued")}
		runtime.SetFinalizer(a, func(a *attached) {
			<-forever
			use(a.body)
		})
	}
}

func globals() {
	globalBody = body("global")
	globalHolder.body = body("global field")
	globalArray[2].body = body("global array")
	globalTable[1].body = body("global table")
	globalAny = &attached{body: body("global interface")}
}

type pair struct {
	small int8
	body  *Body
}

// manyArguments has more of them than there are registers: some come on the stack, the others are spilled behind.
//
//go:noinline
func manyArguments(
	f float64, first *Body, flag bool, p pair, n uint16, q pair, array [2]*Body, text string, late *Body, last *Body,
) (int, [2]int) {
	block()
	use(first)
	use(p.body)
	use(q.body)
	use(array[1])
	use(late)
	use(last)
	sink.Add(int64(len(text)) + int64(n) + int64(f) + int64(p.small) + int64(q.small))
	if flag {
		return 1, [2]int{}
	}
	return 2, [2]int{}
}

func many() {
	manyArguments(
		1.5, body("argument first"), true, pair{1, body("argument p")}, 2, pair{2, body("argument q")},
		[2]*Body{nil, body("argument array")}, "text", body("argument late"), body("argument last"),
	)
}

func start(f func()) {
	started.Add(1)
	go f()
}

//go:noinline
func clear(depth int) int {
	var filler [256]int
	if depth > 0 {
		filler[depth] = clear(depth - 1)
	}
	return filler[depth] + depth
}

func main() {
	state := "quiet"
	if len(os.Args) > 1 {
		state = os.Args[1]
	}
	debug.SetGCPercent(-1)
	globals()
	parked()
	newer()
	started.Wait()
	time.Sleep(50 * time.Millisecond)
	traces()
	switch state {
	case "spin":
		runtime.GOMAXPROCS(2)
		for i := 0; i < 3; i++ {
			go spin(body("spin"))
		}
		time.Sleep(100 * time.Millisecond)
	case "queued":
		attachStuck()
		stuckCleanups()
	}
	clear(50)
	for i := 0; i < 4; i++ {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
	// What was allocated while the last of them marked has survived it for no reason: two more, at rest.
	runtime.GC()
	runtime.GC()
	if state == "quiet" {
		attach()
		attachCleanup()
		clear(50)
	}
	println("READY")
	for {
		syscall.Syscall(syscall.SYS_PAUSE, 0, 0, 0)
	}
}

func parked() {
	start(func() { spilled(1, "text", body("spilled")) })
	start(func() { taken(body("taken")) })
	start(local)
	start(inlines)
	start(pointsToObject)
	start(deadObject)
	start(deferred)
	start(panicking)
	started.Add(1)
	closure()
	start(func() { interfaces(body("any"), &failure{cause: body("error")}) })
	start(made)
	start(inSystemCall)
	start(many)
}

// traces says what the runtime's own unwinder sees.
func traces() {
	buffer := make([]byte, 1<<20)
	line := ""
	for _, c := range string(buffer[:runtime.Stack(buffer, true)]) {
		if c != '\n' {
			line += string(c)
			continue
		}
		println("Trace", line)
		line = ""
	}
}
