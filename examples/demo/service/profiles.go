package main

import (
	"fmt"
	"net/http"
	"sync"
)

type profile struct {
	name    string
	history []uint64
}

// profiles is a cache that nothing is ever removed from.
var profiles = struct {
	sync.RWMutex
	byUser map[string]*profile
}{byUser: map[string]*profile{}}

// showProfile loads a profile once. GR104: each new user adds one, for ever.
// Fixed by a limit: see cache in healthy.go.
func showProfile(w http.ResponseWriter, r *http.Request) {
	user := r.URL.Query().Get("user")
	profiles.Lock()
	defer profiles.Unlock()
	p := profiles.byUser[user]
	if p == nil {
		p = &profile{name: "user " + user, history: make([]uint64, 124)}
		profiles.byUser[user] = p
	}
	fmt.Fprintln(w, p.name)
}
