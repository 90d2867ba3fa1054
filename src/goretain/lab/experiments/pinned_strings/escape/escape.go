// Package escape has one line for each decision that is asked for.
package escape

var kept string

func store(s string) { //lab:stored_parameter
	kept = s[:3] //lab:stored_part
}
