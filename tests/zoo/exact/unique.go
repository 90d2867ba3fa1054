//go:build go1.25

package main

import (
	"strconv"
	"unique"
)

var uniqueTexts []unique.Handle[string]

// buildUnique makes handles of package unique. Before Go 1.25 a goroutine of that package allocates a little after
// every collection: nothing would be quiet.
func buildUnique() {
	for i := 0; i < 40; i++ {
		uniqueTexts = append(uniqueTexts, unique.Make("unique-text-"+strconv.Itoa(i)))
	}
}
