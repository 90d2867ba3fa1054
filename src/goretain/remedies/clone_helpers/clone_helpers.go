package remedies

// The standard library copies one level: bytes.Clone, strings.Clone, slices.Clone, maps.Clone. These functions
// copy what elements hold as well, as deep as the function that they are given.

// CloneSliceFunc returns a slice of copies of the elements of s, with no room for more. A nil slice stays nil.
//
//	words = CloneSliceFunc(words, strings.Clone)      // parts of a text, without the text
//	rows = CloneSliceFunc(rows, slices.Clone[[]byte]) // parts of a page, without the page
func CloneSliceFunc[S ~[]E, E any](s S, clone func(E) E) S {
	if s == nil {
		return nil
	}
	copied := make(S, len(s))
	for i, element := range s {
		copied[i] = clone(element)
	}
	return copied
}

// CloneMapFunc returns a map of copies of the values of m, in a table of their size. Keys are taken as they are:
// string keys that are parts of a text keep all of it. A nil map stays nil.
//
//	headers = CloneMapFunc(headers, bytes.Clone)
func CloneMapFunc[M ~map[K]V, K comparable, V any](m M, clone func(V) V) M {
	if m == nil {
		return nil
	}
	copied := make(M, len(m))
	for key, value := range m {
		copied[key] = clone(value)
	}
	return copied
}

// CloneTree returns a copy of a tree of map[string]any and []any, as encoding/json makes it, that shares no map
// and no slice with it. Other values are taken as they are: pointers, and maps and slices of other types, are
// still shared. It does not end on a tree that contains itself.
func CloneTree(tree any) any {
	switch node := tree.(type) {
	case map[string]any:
		return CloneMapFunc(node, CloneTree)
	case []any:
		return CloneSliceFunc(node, CloneTree)
	default:
		return tree
	}
}
