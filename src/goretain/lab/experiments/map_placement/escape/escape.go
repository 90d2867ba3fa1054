// Package escape makes maps in places that do and do not let them stay on the stack.
package escape

var global map[string]int

func returned() map[string]int {
	m := make(map[string]int) //lab:returned
	m["timeout"] = 30
	return m
}

func assigned() {
	m := make(map[string]int) //lab:assigned
	m["a"] = 1
	global = m
}

func started() {
	m := make(map[string]int) //lab:started
	go func() { _ = len(m) }()
}

func local() int {
	m := make(map[string]int) //lab:local
	m["a"] = 1
	return m["a"]
}

func hinted() int {
	m := make(map[string]int, 100) //lab:hinted
	m["a"] = 1
	return len(m)
}

func ranged() (sum int) {
	m := map[string]int{"a": 1, "b": 2} //lab:ranged
	for _, v := range m {
		sum += v
	}
	return sum
}
