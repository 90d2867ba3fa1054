//go:build !go1.24

package main

func cleaned() {}
func weakly()  {}
func dropped() {}
