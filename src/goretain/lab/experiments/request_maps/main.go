// What it costs to hand values through a request's context: as a copied map, as a struct.
package main

import (
	"context"
	"strconv"

	"lab/measure"
)

type key struct{}

type request struct {
	trace, tenant string
	user          int64
}

var sink context.Context

// injected copies fields into a map of the context's own.
func injected(ctx context.Context, fields map[string]any) context.Context {
	own := make(map[string]any)
	for name, value := range fields {
		own[name] = value
	}
	return context.WithValue(ctx, key{}, own)
}

func main() {
	fields := map[string]any{}
	for i := 0; i < 10; i++ {
		fields["field "+strconv.Itoa(i)] = "value " + strconv.Itoa(i)
	}
	user := int64(len(fields))
	bytes, objects := measure.Allocated(func() { sink = injected(context.Background(), fields) })
	measure.Print("map_bytes", bytes)
	measure.Print("map_allocs", objects)
	bytes, objects = measure.Allocated(func() {
		sink = context.WithValue(context.Background(), key{}, request{"trace", "tenant", user})
	})
	measure.Print("struct_bytes", bytes)
	measure.Print("struct_allocs", objects)
	bytes, _ = measure.Allocated(func() {
		sink = context.WithValue(context.Background(), key{}, &request{"trace", "tenant", user})
	})
	measure.Print("pointer_bytes", bytes)
}
