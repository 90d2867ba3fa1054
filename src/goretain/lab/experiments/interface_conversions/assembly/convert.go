// Package assembly converts values to interfaces, each in a function of its own.
package assembly

var sink any

func use(v any) { sink = v }

func mapLiteral() map[string]int { return map[string]int{"a": 1} }

func mapConverted(m map[string]int) { use(m) }

func mapLiteralConverted() { use(map[string]int{"a": 1}) }

func intConverted(n int) { use(n) }

func stringConverted(s string) { use(s) }

func withAny(m map[string]any) any { return m["a"] }

func withInterface(m map[string]interface{}) interface{} { return m["a"] }
