package remedies

import "context"

// A ContextKey stores and finds values of one type in contexts. It takes the place of string keys, which
// packages share by accident, and of a map[string]any per request, which costs an object for each field and is
// shared with every goroutine that gets the context.
//
// Each variable is a key of its own:
//
//	type RequestInfo struct {
//		User, Trace string
//	}
//
//	var requestInfo = ContextKey[RequestInfo]{Name: "request info"}
//
//	ctx = requestInfo.With(ctx, RequestInfo{User: "ada", Trace: id})
//	info, ok := requestInfo.From(ctx)
//
// A ContextKey must not be copied: the copy is another key.
type ContextKey[T any] struct {
	Name string // for people: what the key is printed as
}

// With returns a child of ctx that holds value under this key. Store structs of plain values: what value points
// to is shared with everybody who has the context, and lives as long as it.
func (k *ContextKey[T]) With(ctx context.Context, value T) context.Context {
	return context.WithValue(ctx, k, value)
}

// From returns the value under this key in ctx or its nearest parent, and whether there is one.
func (k *ContextKey[T]) From(ctx context.Context) (value T, ok bool) {
	value, ok = ctx.Value(k).(T)
	return value, ok
}

// Carry returns a child of to that holds the value that is under this key in from; to itself if there is none.
// Work that goes on after a request takes its value along so, and not the request's whole context, as
// context.WithoutCancel would: that keeps alive whatever else is in it.
func (k *ContextKey[T]) Carry(from, to context.Context) context.Context {
	if value, ok := k.From(from); ok {
		return k.With(to, value)
	}
	return to
}

// String returns the name.
func (k *ContextKey[T]) String() string {
	return k.Name
}
