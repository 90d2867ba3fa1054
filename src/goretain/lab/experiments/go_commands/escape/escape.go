// Package escape has one line for each decision that is asked for.
package escape

var kept map[string]int

func literal() {
	kept = map[string]int{"a": 1} //lab:map_literal
}

func variable() *int {
	n := 0 //lab:named_variable
	return &n
}
