//go:build go1.24

package remedies

import (
	"runtime"
	"testing"
)

func TestMustCollectOfACycle(t *testing.T) {
	object := &collectable{name: "cycle", next: &collectable{}}
	object.next.next = object
	mustBeGone := MustCollect(t, object.next)
	if runtime.GC(); object.name != "cycle" {
		t.Fatal("the object is spoilt")
	}
	mustBeGone()
}

func TestMustCollectOfAnObjectWithAFinalizer(t *testing.T) {
	object := &collectable{name: "finalized"}
	runtime.SetFinalizer(object, func(*collectable) {})
	mustBeGone := MustCollect(t, object)
	object = nil
	mustBeGone()
}
