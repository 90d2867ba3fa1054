// service is a real Go heap under a script: populations of objects are born and die when the script says, and
// the runtime's own memory profile, sampled and delayed as ever, is printed after every tick.
//
// Standard input has one population a line: tick of birth, part, objects, bytes of each, tick of death.
// Each part allocates from a function of its own, so that it is a site of its own in the profile.
// Standard output has a line for each tick and part: tick, part, allocated objects and bytes since the start,
// objects and bytes in use, scaled as the runtime scales its profiles.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
)

type population struct{ birth, part, objects, size, death int }

type counts struct{ allocObjects, allocBytes, inuseObjects, inuseBytes float64 }

var places = [...]func(int) []byte{
	part00, part01, part02, part03, part04, part05, part06, part07,
	part08, part09, part10, part11, part12, part13, part14, part15,
}

//go:noinline
func allocate(size int) []byte { return make([]byte, size) }

//go:noinline
func part00(size int) []byte { return allocate(size) }

//go:noinline
func part01(size int) []byte { return allocate(size) }

//go:noinline
func part02(size int) []byte { return allocate(size) }

//go:noinline
func part03(size int) []byte { return allocate(size) }

//go:noinline
func part04(size int) []byte { return allocate(size) }

//go:noinline
func part05(size int) []byte { return allocate(size) }

//go:noinline
func part06(size int) []byte { return allocate(size) }

//go:noinline
func part07(size int) []byte { return allocate(size) }

//go:noinline
func part08(size int) []byte { return allocate(size) }

//go:noinline
func part09(size int) []byte { return allocate(size) }

//go:noinline
func part10(size int) []byte { return allocate(size) }

//go:noinline
func part11(size int) []byte { return allocate(size) }

//go:noinline
func part12(size int) []byte { return allocate(size) }

//go:noinline
func part13(size int) []byte { return allocate(size) }

//go:noinline
func part14(size int) []byte { return allocate(size) }

//go:noinline
func part15(size int) []byte { return allocate(size) }

func main() {
	ticks := flag.Int("ticks", 60, "how many profiles to print")
	rate := flag.Int("rate", 512*1024, "runtime.MemProfileRate")
	flag.Parse()
	runtime.MemProfileRate = *rate
	script := read(*ticks)
	dying := make([][][]byte, *ticks)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for tick := range script {
		dying[tick] = nil
		for _, p := range script[tick] {
			objects := make([][]byte, p.objects)
			for i := range objects {
				objects[i] = places[p.part](p.size)
			}
			if p.death >= *ticks {
				kept = append(kept, objects)
			} else if p.death > tick {
				dying[p.death] = append(dying[p.death], objects...)
			}
		}
		runtime.GC() // as /debug/pprof/heap?gc=1 does: the profile is of this tick
		write(out, tick)
	}
}

var kept [][][]byte

// read returns the populations of the script by the tick of their birth.
func read(ticks int) [][]population {
	script := make([][]population, ticks)
	in := bufio.NewReader(os.Stdin)
	for {
		var p population
		if _, err := fmt.Fscan(in, &p.birth, &p.part, &p.objects, &p.size, &p.death); err != nil {
			return script
		}
		if p.birth < ticks {
			script[p.birth] = append(script[p.birth], p)
		}
	}
}

// write prints the profile, summed over the stacks and sizes of each part.
func write(out *bufio.Writer, tick int) {
	records := make([]runtime.MemProfileRecord, 1024)
	n, ok := runtime.MemProfile(records, true)
	for !ok {
		records = make([]runtime.MemProfileRecord, n+64)
		n, ok = runtime.MemProfile(records, true)
	}
	sums := make([]counts, len(places))
	for i := range records[:n] {
		r := &records[i]
		part := owner(r.Stack())
		if part < 0 {
			continue
		}
		s := &sums[part]
		objects, bytes := scaled(r.AllocObjects, r.AllocBytes)
		s.allocObjects, s.allocBytes = s.allocObjects+objects, s.allocBytes+bytes
		objects, bytes = scaled(r.InUseObjects(), r.InUseBytes())
		s.inuseObjects, s.inuseBytes = s.inuseObjects+objects, s.inuseBytes+bytes
	}
	for part, s := range sums {
		if s.allocObjects > 0 {
			fmt.Fprintf(out, "%d %d %.0f %.0f %.0f %.0f\n", tick, part, s.allocObjects, s.allocBytes, s.inuseObjects, s.inuseBytes)
		}
	}
}

// owner returns which part a stack allocates for, or -1.
func owner(stack []uintptr) int {
	frames := runtime.CallersFrames(stack)
	for {
		frame, more := frames.Next()
		if name, found := strings.CutPrefix(frame.Function, "main.part"); found {
			part, _ := strconv.Atoi(name)
			return part
		}
		if !more {
			return -1
		}
	}
}

// scaled is what runtime/pprof's scaleHeapSample makes of the sampled objects of one stack and size.
func scaled(objects, bytes int64) (float64, float64) {
	if objects == 0 || bytes == 0 || runtime.MemProfileRate <= 1 {
		return float64(objects), float64(bytes)
	}
	size := float64(bytes) / float64(objects)
	scale := 1 / (1 - math.Exp(-size/float64(runtime.MemProfileRate)))
	return float64(objects) * scale, float64(bytes) * scale
}
