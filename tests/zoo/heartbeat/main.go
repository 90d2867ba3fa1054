// Command heartbeat shows whether anything disturbed it: threads come and go all the time, C calls sleep and wait,
// signals are sent and awaited, and a pulse measures every pause. It keeps score in the file named by its argument,
// as little-endian 64-bit numbers: beats, longest gap between two beats (ns), system calls that failed, signals lost,
// signals received.
package main

/*
#cgo LDFLAGS: -lpthread
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static void *brief(void *unused) { usleep(300); return unused; }

// One thread that lives for a moment. 0 if all went well.
static int one_thread(void) {
	pthread_t t;
	if (pthread_create(&t, 0, brief, 0)) return 1;
	return pthread_join(t, 0);
}

// The waits of C libraries that the kernel restarts by itself after a stop. 0 if each ran to its end.
// Signals are blocked meanwhile: their handlers would end such waits too, and the signals are our own.
static int nap(int milliseconds) {
	struct timespec wait = {0, milliseconds * 1000000L};
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = nanosleep(&wait, 0) || poll(0, 0, milliseconds) < 0;
	pthread_sigmask(SIG_SETMASK, &before, 0);
	return failed;
}

static int timed_wait(int milliseconds) {
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t c = PTHREAD_COND_INITIALIZER;
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += milliseconds * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&m);
	int result = pthread_cond_timedwait(&c, &m, &until);
	pthread_mutex_unlock(&m);
	return result == ETIMEDOUT ? 0 : result + 1;
}
*/
import "C"

import (
	"encoding/binary"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

type tree struct {
	left, right *tree
	key         int
}

var held *tree

var beats, gap, failed, lost, received atomic.Int64

func grow(depth int) *tree {
	if depth == 0 {
		return nil
	}
	return &tree{grow(depth - 1), grow(depth - 1), depth}
}

func pulse(score *os.File) {
	last := time.Now()
	var block [40]byte
	for {
		time.Sleep(2 * time.Millisecond)
		now := time.Now()
		if d := now.Sub(last).Nanoseconds(); d > gap.Load() {
			gap.Store(d)
		}
		last = now
		beats.Add(1)
		for i, n := range []*atomic.Int64{&beats, &gap, &failed, &lost, &received} {
			binary.LittleEndian.PutUint64(block[8*i:], uint64(n.Load()))
		}
		if _, err := score.WriteAt(block[:], 0); err != nil {
			panic(err)
		}
	}
}

func signals() {
	arrived := make(chan os.Signal, 1)
	signal.Notify(arrived, syscall.SIGUSR1)
	for {
		if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
			panic(err)
		}
		select {
		case <-arrived:
			received.Add(1)
		case <-time.After(time.Second):
			lost.Add(1)
		}
		time.Sleep(200 * time.Microsecond)
	}
}

func main() {
	score, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	held = grow(19)
	for i := 0; i < 4; i++ {
		go func() {
			for {
				if C.nap(20) != 0 || C.timed_wait(20) != 0 {
					failed.Add(1)
				}
			}
		}()
	}
	go func() {
		for {
			if C.one_thread() != 0 {
				failed.Add(1)
			}
			time.Sleep(time.Millisecond)
		}
	}()
	go func() { // a goroutine that ends while locked to its thread takes the thread with it
		for {
			go runtime.LockOSThread()
			time.Sleep(2 * time.Millisecond)
		}
	}()
	go signals()
	go pulse(score)
	println("READY")
	select {}
}
