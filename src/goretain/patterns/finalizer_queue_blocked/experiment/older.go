//go:build !go1.24

package main

func cleanups() int64 { return 0 }
