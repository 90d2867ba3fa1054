// What a dump of all goroutines shows of those that wait.
package main

import (
	"bytes"
	"regexp"
	"runtime/pprof"
	"sort"
	"strings"
	"sync"
	"time"

	"lab/measure"
)

func main() {
	var mutex sync.Mutex
	mutex.Lock()
	channel := make(chan int)
	go func() { mutex.Lock() }()
	go func() { <-channel }()
	go func() { select {} }()
	time.Sleep(100 * time.Millisecond)

	var dump bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&dump, 2)
	text := dump.String()
	measure.Print("gopark_frames", strings.Count(text, "runtime.gopark("))
	measure.Print("lock_frames", strings.Count(text, "sync.(*Mutex).Lock("))
	states := []string{}
	for _, found := range regexp.MustCompile(`(?m)^goroutine \d+ \[([^\]]+)\]`).FindAllStringSubmatch(text, -1) {
		states = append(states, found[1])
	}
	sort.Strings(states)
	measure.Print("states", strings.Join(states, ", "))
}
