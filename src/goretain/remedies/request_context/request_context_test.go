package remedies

import (
	"context"
	"fmt"
	"runtime"
	"testing"
)

type requestInfo struct {
	user, trace string
	tenant      int
}

var (
	infoKey  = ContextKey[requestInfo]{Name: "request info"}
	otherKey = ContextKey[requestInfo]{Name: "request info"}
)

func TestContextKey(t *testing.T) {
	ctx := context.Background()
	if _, ok := infoKey.From(ctx); ok {
		t.Error("a value is found where none is")
	}
	ctx = infoKey.With(ctx, requestInfo{user: "ada"})
	inner := infoKey.With(ctx, requestInfo{user: "bob"})
	for want, ctx := range map[string]context.Context{"ada": ctx, "bob": inner} {
		if info, ok := infoKey.From(ctx); !ok || info.user != want {
			t.Errorf("From = %v, %v, want %s", info, ok, want)
		}
	}
	if _, ok := otherKey.From(ctx); ok {
		t.Error("two keys of one name are one")
	}
	if text := fmt.Sprint(&infoKey); text != "request info" {
		t.Errorf("a key is printed as %q", text)
	}
}

func TestContextKeyOfAnInterface(t *testing.T) {
	key := ContextKey[error]{Name: "cause"}
	if err, ok := key.From(key.With(context.Background(), context.Canceled)); !ok || err != context.Canceled {
		t.Errorf("From = %v, %v", err, ok)
	}
}

func TestContextKeyCarriesItsValueAlone(t *testing.T) {
	type body struct{}
	var later context.Context
	givesBack(t,
		func() {
			request := context.WithValue(context.Background(), body{}, make([]byte, 8<<20))
			later = infoKey.With(request, requestInfo{user: "ada"})
		},
		func() { later = infoKey.Carry(later, context.Background()) })
	if info, ok := infoKey.From(later); !ok || info.user != "ada" {
		t.Errorf("From = %v, %v", info, ok)
	}
	if to := context.Background(); infoKey.Carry(to, to) != to {
		t.Error("Carry makes a context for no value")
	}
	runtime.KeepAlive(later)
}

// Three fields put into a context and read once.
func BenchmarkContextKey(b *testing.B) {
	b.Run("fields/remedy", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; i < b.N; i++ {
			ctx := infoKey.With(context.Background(), requestInfo{"ada", "4bf92f35", i})
			if info, ok := infoKey.From(ctx); !ok || info.tenant != i {
				b.Fatal("lost")
			}
		}
	})
	b.Run("fields/naive", func(b *testing.B) {
		b.ReportAllocs()
		type key struct{}
		for i := 0; i < b.N; i++ {
			fields := map[string]any{"user": "ada", "trace": "4bf92f35", "tenant": i}
			ctx := context.WithValue(context.Background(), key{}, fields)
			if fields, ok := ctx.Value(key{}).(map[string]any); !ok || fields["tenant"].(int) != i {
				b.Fatal("lost")
			}
		}
	})
}
