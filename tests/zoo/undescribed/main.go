// Command undescribed holds memory in structs that the compiler lays out in data and that no code allocates or
// converts: the program has no type record of them, and their fields are known by what the code does with them.
// All of them hold short pieces of long texts.
package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

type session struct {
	user   string
	tokens []byte
}

// desk is reached by inlined code and by functions.
type desk struct {
	mu   sync.Mutex
	subs map[string]*session
	tags map[int64][]string
}

// ledger is reached by methods only, as a variable and as a part of another struct.
type ledger struct {
	rows  []*session
	index map[int]*session
	open  chan *session
}

//go:noinline
func (l *ledger) note(i int, s *session) {
	l.rows = append(l.rows, s)
	l.index[i] = s
	l.open <- s
}

// office has pointers to other structs in data.
type office struct {
	name  string
	back  *backroom
	front ledger
}

type backroom struct {
	count int
	files map[string][]*session
	out   fmt.Stringer
}

func (s *session) String() string { return s.user }

var (
	hub  = &desk{subs: map[string]*session{}, tags: map[int64][]string{}}
	book = ledger{index: map[int]*session{}, open: make(chan *session, 400)}
	home = &office{
		back:  &backroom{files: map[string][]*session{}},
		front: ledger{index: map[int]*session{}, open: make(chan *session, 400)},
	}
)

func (d *desk) add(line string, i int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tags[int64(i)] = []string{"a", line[3:9]}
	d.subs[line[5:20]] = &session{user: line[:3]}
}

//go:noinline
func fill(i int) {
	line := strings.Repeat(fmt.Sprint(i), 500)
	hub.add(line, i)
	if i%10 == 0 {
		book.note(i, &session{user: strings.Repeat(fmt.Sprint(i), 600)[:4]})
		home.front.note(i, &session{user: strings.Repeat(fmt.Sprint(i), 700)[:5]})
	}
	home.back.count++
	key := fmt.Sprint(i % 100)
	home.back.files[key] = append(home.back.files[key], &session{tokens: make([]byte, 32)})
	home.back.out = hub.subs[line[5:20]]
}

func main() {
	for i := 0; i < 4000; i++ {
		fill(i)
	}
	println("READY")
	time.Sleep(time.Hour)
	fmt.Println(len(os.Args), hub.tags[3], home.back.out)
}
