// Shop is a small HTTP service with four leaks of the kind that reviews let through, beside structures that are
// as large and healthy. It serves on a loopback port of the system's choice and prints it: "READY 40123".
//
// Leaks: uploads.go keeps slices of bodies, search.go keeps words of queries, jobs.go never shrinks a map,
// profiles.go never evicts. Healthy: healthy.go.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/upload", upload)
	mux.HandleFunc("/search", search)
	mux.HandleFunc("/import", importJobs)
	mux.HandleFunc("/profile", showProfile)
	mux.HandleFunc("/page", page)
	go recent.janitor()

	// The reader of our standard output waits for this line.
	fmt.Printf("READY %d\n", listener.Addr().(*net.TCPAddr).Port)
	go func() {
		os.Stdin.Read(make([]byte, 1)) // ends with whoever started us
		os.Exit(0)
	}()
	if err := http.Serve(listener, mux); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
