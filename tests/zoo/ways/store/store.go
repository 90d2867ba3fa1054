// Package store is the program's own, whatever its import path begins with.
package store

// Entry keeps a part of something larger.
type Entry struct {
	Body []byte
	Uses int
}

// New returns an entry that keeps body as it is.
func New(body []byte) *Entry { return &Entry{Body: body} }
