// Experiment of context-values-hold-memory: contexts that outlive their requests, with what was put into them.
//
//	leak   main.sessions keeps the context of the request that began each session, with its form and its
//	       body; a worker derives its context from the last one, job after job
//	fixed  sessions keep the user's name, the worker starts from the same context each time
//
// Both modes keep healthy neighbours: goroutines that wait with a context of small values.
package main

import (
	"context"
	"os"
	"runtime"
	"time"
)

const (
	requests = 300
	jobs     = 3000
	waiting  = 50
)

type key int

const (
	userKey key = iota
	bodyKey
	formKey
	jobKey
)

type user struct{ name [64]byte }

type form struct{ fields map[int]*[512]byte }

type job struct {
	id   int
	text [248]byte
}

type session struct {
	ctx  context.Context
	user *user
}

var (
	sessions = make([]*session, 0, requests)
	never    = make(chan struct{})
	sink     int
)

func handle(fixed bool) {
	u := &user{}
	f := &form{fields: map[int]*[512]byte{}}
	for i := 0; i < 8; i++ {
		f.fields[i] = new([512]byte)
	}
	ctx := context.WithValue(context.Background(), userKey, u)
	ctx = context.WithValue(ctx, bodyKey, make([]byte, 8<<10))
	ctx = context.WithValue(ctx, formKey, f)
	s := &session{user: u}
	if !fixed {
		s.ctx = ctx
	}
	sessions = append(sessions, s)
}

//go:noinline
func work(ctx context.Context, fixed bool) {
	base := ctx
	for i := 0; i < jobs; i++ {
		if fixed {
			ctx = base
		}
		ctx = context.WithValue(ctx, jobKey, &job{id: i})
	}
	<-never
	sink = ctx.Value(jobKey).(*job).id
}

//go:noinline
func wait(ctx context.Context) {
	<-never
	sink = len(ctx.Value(userKey).(*user).name)
}

func main() {
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	for i := 0; i < requests; i++ {
		handle(fixed)
	}
	go work(context.Background(), fixed)
	for i := 0; i < waiting; i++ {
		go wait(context.WithValue(context.Background(), userKey, &user{}))
	}
	time.Sleep(50 * time.Millisecond)
	ready()
}

func ready() {
	runtime.GC()
	runtime.GC()
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
