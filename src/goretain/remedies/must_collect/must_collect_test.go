package remedies

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

type collectable struct {
	name string
	next *collectable
}

var heldObject *collectable

func TestMustCollect(t *testing.T) {
	leavesNoGoroutine(t)
	object := &collectable{name: "freed"}
	mustBeGone := MustCollect(t, object)
	object = nil
	mustBeGone()
}

func TestMustCollectFindsWhatIsHeld(t *testing.T) {
	heldObject = &collectable{name: "held"}
	defer func() { heldObject = nil }()
	failure := failureOf(t, func(tb testing.TB) { MustCollect(tb, heldObject)() })
	if !strings.Contains(failure, ".collectable is still alive") {
		t.Errorf("it fails with %q", failure)
	}
}

func TestMustCollectBehindFinalizers(t *testing.T) {
	object := &collectable{name: "last"}
	mustBeGone := MustCollect(t, object)
	for i := 0; i < 3; i++ { // each lets go of the next one collection later
		object = &collectable{next: object}
		runtime.SetFinalizer(object, func(*collectable) {})
	}
	object = nil
	mustBeGone()
}

// How long it takes to see that an object is freed.
func BenchmarkMustCollect(b *testing.B) {
	b.Run("freed/remedy", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			MustCollect(b, &collectable{})()
		}
	})
	b.Run("freed/naive", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			gone := make(chan struct{})
			runtime.SetFinalizer(&collectable{}, func(*collectable) { close(gone) })
			runtime.GC()
			time.Sleep(10 * time.Millisecond)
			select {
			case <-gone:
			default:
				b.Fatal("not freed in time")
			}
		}
	})
}
