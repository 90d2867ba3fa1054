// A plugin that holds memory in globals of its own types, and parks a goroutine with memory on its stack.
package main

import (
	"runtime"
	"time"
)

type Record struct {
	name string
	body []byte
	next *Record
}

type ledger struct {
	byName map[string]*Record
	latest [4]*Record
}

var (
	records = map[string]*Record{}
	books   ledger
	any_    interface{}
	chain   *Record
)

const digits = "0123456789"

func key(i int) string {
	return "record-" + digits[i/100%10:i/100%10+1] + digits[i/10%10:i/10%10+1] + digits[i%10:i%10+1]
}

// Fill keeps n records of 4 KiB each in a map, 100 in a list, and some elsewhere.
func Fill(n int) {
	for i := 0; i < n; i++ {
		records[key(i)] = &Record{name: key(i), body: make([]byte, 4096)}
	}
	books.byName = map[string]*Record{}
	for i := range books.latest {
		books.latest[i] = &Record{name: key(i), body: make([]byte, 65536)}
		books.byName[key(i)] = books.latest[i]
	}
	any_ = &Record{name: "only in an interface", body: make([]byte, 1<<20)}
	for i := 0; i < 100; i++ {
		chain = &Record{body: make([]byte, 1024), next: chain}
	}
}

// Wait parks for good with a buffer that only its frame holds.
func Wait() {
	held := &Record{name: "on the stack", body: make([]byte, 2<<20)}
	time.Sleep(1000 * time.Hour)
	runtime.KeepAlive(held)
}

func main() {}
