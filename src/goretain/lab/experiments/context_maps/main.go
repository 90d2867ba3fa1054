// What contexts keep: values after cancel, and children that nobody cancels.
package main

import (
	"context"
	"os"

	"lab/measure"
)

type (
	name  string
	block [1 << 20]byte
)

var (
	held   context.Context
	parent context.Context
)

func withBlock(ctx context.Context) context.Context {
	return context.WithValue(ctx, name("data"), map[string]any{"body": new(block)})
}

func values() {
	m := map[string]int{}
	context.WithValue(context.Background(), name("m"), m).Value(name("m")).(map[string]int)["added"] = 1
	measure.Print("map_is_shared", len(m) == 1)

	start := measure.Live()
	ctx, cancel := context.WithCancel(context.Background())
	held = withBlock(ctx)
	cancel()
	measure.Print("held_after_cancel_bytes", measure.Live()-start)
	measure.Print("readable_after_cancel", held.Value(name("data")) != nil)
	held, ctx = nil, nil
	measure.Print("context_dropped_bytes", measure.Live()-start)
}

// unheld makes a context with a large value, refers to it no more, and cancels it when it is told to.
func unheld(told chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	ctx = withBlock(ctx)
	_ = ctx.Err()
	go func() {
		<-told
		cancel()
		close(told)
	}()
}

func dropped() {
	told := make(chan struct{})
	start := measure.Live()
	unheld(told)
	measure.Print("unheld_before_cancel_bytes", measure.Live()-start)
	told <- struct{}{}
	<-told
	measure.Print("unheld_after_cancel_bytes", measure.Live()-start)
}

func children() {
	const count = 10_000
	start := measure.Live()
	for i := 0; i < count; i++ {
		_, cancel := context.WithCancel(context.Background())
		_ = cancel
	}
	measure.Print("under_background_bytes", measure.Live()-start)

	long, stop := context.WithCancel(context.Background())
	parent = long
	start = measure.Live()
	for i := 0; i < count; i++ {
		_, cancel := context.WithCancel(parent)
		_ = cancel
	}
	measure.Print("under_parent_bytes", measure.Live()-start)
	stop()
	measure.Print("after_parent_cancel_bytes", measure.Live()-start)

	long, stop = context.WithCancel(context.Background())
	parent = long
	start = measure.Live()
	for i := 0; i < 100; i++ {
		child := context.WithValue(parent, name("page"), make([]byte, 16<<10))
		_, cancel := context.WithCancel(child)
		_ = cancel
	}
	measure.Print("children_with_values_bytes", measure.Live()-start)
	stop()
}

func main() {
	switch os.Args[1] {
	case "values":
		values()
	case "dropped":
		dropped()
	case "children":
		children()
	}
}
