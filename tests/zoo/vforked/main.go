// Command vforked has a thread that cannot be stopped: it waits in the kernel (state D) for a child that it
// made by vfork, and that sleeps. The other threads beat: the number of beats is kept in the file named.
package main

/*
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static void wait_in_the_kernel(int seconds) {
	if (vfork() == 0) {
		struct timespec wait = {seconds, 0};
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int fd = 0; fd < 3; fd++) close(fd);
		nanosleep(&wait, 0);
		_exit(0);
	}
}
*/
import "C"

import (
	"encoding/binary"
	"os"
	"time"
)

func main() {
	score, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	go C.wait_in_the_kernel(60)
	time.Sleep(100 * time.Millisecond)
	println("READY")
	var block [8]byte
	for n := uint64(1); ; n++ {
		binary.LittleEndian.PutUint64(block[:], n)
		if _, err := score.WriteAt(block[:], 0); err != nil {
			panic(err)
		}
		time.Sleep(time.Millisecond)
	}
}
