package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime/pprof"
)

var spun int

// /lose leaves goroutines where nothing can wake them, /cpu answers with a CPU profile of some work.
func init() {
	http.HandleFunc("/lose", lose)
	http.HandleFunc("/cpu", cpu)
}

func lose(w http.ResponseWriter, _ *http.Request) {
	for i := 0; i < 3; i++ {
		go wait(make(chan bool))
	}
	fmt.Fprintln(w, "lost")
}

//go:noinline
func spin(n int) int {
	sum := 0
	for i := 0; i < n; i++ {
		sum += sum<<3 ^ i
	}
	return sum
}

func cpu(w http.ResponseWriter, _ *http.Request) {
	if err := pprof.StartCPUProfile(w); err != nil {
		println(err.Error())
	}
	for i := 0; i < 2; i++ {
		set := pprof.Labels("step", fmt.Sprint(i))
		pprof.Do(context.Background(), set, func(context.Context) { spun += spin(1 << 27) })
	}
	pprof.StopCPUProfile()
}
