// Experiment of finalizers-in-a-chain: a list of which every link has a finalizer.
//
//	leak   the blocks of a log point to the one before them, and each has a finalizer; the log is dropped
//	fixed  each block's finalizer is on a descriptor that points to nothing
//
// Both modes keep healthy neighbours: such a log that is in use, and one object that keeps many with finalizers.
package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

const (
	blocks      = 500
	collections = 5
	size        = 1 << 10
)

type descriptor struct{ number, flags int }

type block struct {
	before *block
	fd     *descriptor
	data   [size]byte
}

type owner struct {
	files []*descriptor
	data  [64 << 10]byte
}

var (
	inUse *block
	ended atomic.Int64
	sink  int
)

func release(d *descriptor) { ended.Add(1) }
func releaseBlock(b *block) { ended.Add(1) }
func releaseOwner(o *owner) { ended.Add(1) }

//go:noinline
func log(fixed bool) *block {
	var last *block
	for i := 0; i < blocks; i++ {
		last = &block{before: last, fd: &descriptor{number: i}}
		if fixed {
			runtime.SetFinalizer(last.fd, release)
		} else {
			runtime.SetFinalizer(last, releaseBlock)
		}
	}
	return last
}

//go:noinline
func manage() {
	o := &owner{}
	for i := 0; i < blocks; i++ {
		d := &descriptor{number: i}
		runtime.SetFinalizer(d, release)
		o.files = append(o.files, d)
	}
	runtime.SetFinalizer(o, releaseOwner)
}

func main() {
	debug.SetGCPercent(-1)
	fixed := len(os.Args) > 1 && os.Args[1] == "fixed"
	inUse = log(false)
	log(fixed)
	for i := int64(1); i <= collections; i++ {
		runtime.GC()
		for ended.Load() < i {
			time.Sleep(time.Millisecond)
		}
	}
	manage()
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
