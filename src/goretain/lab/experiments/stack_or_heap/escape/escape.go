// Package escape has one line for each decision that is asked for.
package escape

func closure(x int) func(int) int {
	return func(y int) int { return x + y } //lab:closure_never_reassigned
}

func counter() func() int {
	x := 0 //lab:captured_reassigned
	return func() int { x++; return x }
}

func boxed() any {
	return 42 //lab:boxed_constant
}

func short() int {
	s := make([]int, 10) //lab:ten_ints
	return len(s)
}

func long() int {
	s := make([]int, 1e6) //lab:million_ints
	return len(s)
}

func cut() []byte {
	large := make([]byte, 1<<20) //lab:large_made
	small := large[:10]          //lab:small_cut
	return small
}
