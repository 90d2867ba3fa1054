package main

import (
	"io"
	"net/http"
	"strings"
	"sync"
)

// trends remembers the first word of every query.
var trends struct {
	sync.Mutex
	words []string
}

// search reads a query document. GR102: Cut returns a part of the text, so all of it stays.
// Fixed by strings.Clone(word).
func search(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	word, _, _ := strings.Cut(string(text), " ")
	trends.Lock()
	defer trends.Unlock()
	trends.words = append(trends.words, word)
}
