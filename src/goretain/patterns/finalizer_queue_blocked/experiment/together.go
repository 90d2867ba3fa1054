//go:build go1.24 && !go1.25

package main

const running = 0
