// Package second is one more package to test.
package second
