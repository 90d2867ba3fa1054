package main

import (
	"net/http"
	"strconv"
	"sync"
)

type job struct {
	shop, item uint32
	price      float64
}

// jobs has the imports that are not finished yet.
var jobs = struct {
	sync.Mutex
	pending map[uint64]job
}{pending: map[uint64]job{}}

// importJobs handles a batch of n jobs and forgets them. GR103: delete empties the map, its table stays.
// Fixed by a new map once the batch is done.
func importJobs(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseUint(r.URL.Query().Get("n"), 10, 32)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	jobs.Lock()
	defer jobs.Unlock()
	for id := uint64(0); id < n; id++ {
		jobs.pending[id] = job{shop: 1, item: uint32(id), price: 9.95}
	}
	for id := uint64(0); id < n; id++ {
		delete(jobs.pending, id)
	}
}
