//go:build go1.25

package main

const running = 1
