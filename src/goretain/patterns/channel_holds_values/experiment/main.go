// Experiment of channel-holds-values: reports in the buffer of a channel that nobody reads any more.
//
//	leak   the receiver of main.events has returned: 512 reports of 4 KiB wait
//	fixed  the receiver reads until the channel is closed
package main

import (
	"os"
	"runtime"
	"time"
)

const sent = 512

type report struct {
	text [4096]byte
}

var events = make(chan *report, sent)

func main() {
	done := make(chan struct{})
	go receive(len(os.Args) > 1 && os.Args[1] == "fixed", done)
	for range [sent]struct{}{} {
		events <- new(report)
	}
	close(events)
	<-done
	ready()
}

// receive reads all reports, or gives up before the first.
func receive(all bool, done chan<- struct{}) {
	defer close(done)
	if !all {
		return
	}
	for range events {
	}
}

func ready() {
	runtime.GC()
	runtime.GC()
	os.Stdout.WriteString("READY\n")
	for {
		time.Sleep(time.Hour)
	}
}
