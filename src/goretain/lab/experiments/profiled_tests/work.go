// Package work allocates: something that it keeps, and something that it does not.
package work

var (
	kept    [][]byte
	dropped []byte
)

//go:noinline
func keepNothing() {
	for i := 0; i < 2000; i++ {
		dropped = make([]byte, 1024)
	}
	dropped = nil
}

//go:noinline
func keepAll() {
	for i := 0; i < 1000; i++ {
		kept = append(kept, make([]byte, 1024))
	}
}
