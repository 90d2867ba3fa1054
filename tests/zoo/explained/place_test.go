package main

import "testing"

func TestKeeps(t *testing.T) {
	kept = &Loose{} // line: keeps
}
