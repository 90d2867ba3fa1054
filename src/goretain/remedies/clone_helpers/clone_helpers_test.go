package remedies

import (
	"bytes"
	"encoding/json"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestCloneSliceFunc(t *testing.T) {
	if CloneSliceFunc([]string(nil), strings.Clone) != nil {
		t.Error("a nil slice does not stay nil")
	}
	rows := [][]byte{[]byte("one"), nil, {}}
	got := CloneSliceFunc(rows[:2], slices.Clone[[]byte])
	if !reflect.DeepEqual(got, rows[:2]) || cap(got) != 2 {
		t.Errorf("got %q with room for %d", got, cap(got))
	}
	got[0][0] = 'X'
	if string(rows[0]) != "one" {
		t.Error("the copy shares an element")
	}
}

func TestCloneMapFunc(t *testing.T) {
	if CloneMapFunc(map[int][]byte(nil), bytes.Clone) != nil {
		t.Error("a nil map does not stay nil")
	}
	source := map[int][]byte{1: []byte("one"), 2: nil}
	got := CloneMapFunc(source, bytes.Clone)
	if !reflect.DeepEqual(got, source) {
		t.Errorf("got %q", got)
	}
	got[1][0] = 'X'
	got[3] = nil
	if string(source[1]) != "one" || len(source) != 2 {
		t.Error("the copy shares memory with its source")
	}
}

func TestClonesLetTheWholeGo(t *testing.T) {
	var words []string
	givesBack(t,
		func() {
			page := strings.Repeat("word and some more text ", 1<<18)
			words = strings.SplitN(page, " ", 101)[:100]
		},
		func() { words = CloneSliceFunc(words, strings.Clone) })
	runtime.KeepAlive(words)
}

func FuzzCloneTree(f *testing.F) {
	f.Add([]byte(`{"a": [1, "two", {"three": null}], "b": {"c": {}}, "d": []}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		var tree, same any
		if json.Unmarshal(document, &tree) != nil || json.Unmarshal(document, &same) != nil {
			return
		}
		copied := CloneTree(tree)
		if !reflect.DeepEqual(copied, tree) {
			t.Fatalf("%v is copied as %v", tree, copied)
		}
		spoil(copied)
		if !reflect.DeepEqual(tree, same) {
			t.Fatalf("a change of the copy changes %v to %v", same, tree)
		}
	})
}

// spoil changes every map and slice of a tree.
func spoil(tree any) {
	switch node := tree.(type) {
	case map[string]any:
		for _, child := range node {
			spoil(child)
		}
		node["spoilt"] = true
	case []any:
		for i, child := range node {
			spoil(child)
			node[i] = "spoilt"
		}
	}
}

// Ten words of each of a hundred pages of 64 KiB.
func BenchmarkCloneHelpers(b *testing.B) {
	page := strings.Repeat("word and more ", 64<<10/14)
	read := func(clone func([]string) []string) any {
		var kept [][]string
		for i := 0; i < 100; i++ {
			words := strings.SplitN(strings.Clone(page), " ", 11)[:10]
			kept = append(kept, clone(words))
		}
		return kept
	}
	b.Run("words/remedy", func(b *testing.B) {
		b.ReportAllocs()
		clone := func(words []string) []string { return CloneSliceFunc(words, strings.Clone) }
		for i := 0; i < b.N; i++ {
			read(clone)
		}
		reportHeld(b, func() any { return read(clone) })
	})
	b.Run("words/naive", func(b *testing.B) {
		b.ReportAllocs()
		keep := func(words []string) []string { return words }
		for i := 0; i < b.N; i++ {
			read(keep)
		}
		reportHeld(b, func() any { return read(keep) })
	})
}
