// Command mains has a TestMain of its own and benchmarks in two packages.
package main

import "os"

var kept []*[64]byte

func keep() { kept = append(kept, new([64]byte)) }

func main() { os.Exit(0) }
