package main

import "github.com/google/pprof/profile"

func main() { println(profile.Profile{}.Period) }
