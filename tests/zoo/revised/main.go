// Command revised is looked at three times: at every SIGUSR1 it takes another step, and makes a directory below
// the one that its argument names. It grows in one place at every step, settles in another after the first, and
// lets go in a third. Tests also build it with lines and a closure inserted, and mended.
package main

import (
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
)

type upload struct {
	number int
	body   []byte
}

var (
	hoard   []*upload        // grows at every step
	settled map[int]*upload  // is filled at the first step
	passing []byte           // goes at the first step
	heads   [][]byte         // each shows 16 bytes of 64 KiB
	never   = make(chan int) // what the watcher waits for
	next    = make(chan os.Signal, 1)
)

func watch() {
	ready := make(chan struct{})
	go func() {
		own := make([]byte, 256<<10)
		close(ready)
		own[0] = byte(<-never)
		runtime.KeepAlive(own)
	}()
	<-ready
}

func head(file []byte) []byte {
	return file[:16]
}

func step(round int) {
	for n := 0; n < 64; n++ {
		hoard = append(hoard, &upload{n, make([]byte, 16<<10)})
	}
	if round == 0 {
		settled, passing = map[int]*upload{}, nil
		for n := 0; n < 128; n++ {
			settled[n] = &upload{n, make([]byte, 8<<10)}
		}
	}
	runtime.GC()
}

func main() {
	signal.Notify(next, syscall.SIGUSR1)
	watch()
	passing = make([]byte, 512<<10)
	for n := 0; n < 64; n++ {
		heads = append(heads, head(make([]byte, 64<<10)))
	}
	runtime.GC()
	println("READY")
	for round := 0; ; round++ {
		<-next
		step(round)
		if err := syscall.Mkdir(os.Args[1]+"/"+strconv.Itoa(round), 0o700); err != nil {
			panic(err)
		}
	}
}
