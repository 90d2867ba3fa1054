package orders

import (
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"
)

type Line struct{}

func TestErrorsNameThePath(t *testing.T) {
	for document, want := range map[string]string{
		`{"id": "a", "lines": [{"price": 1}, {"price": 2}, {}]}`: "lines[2].price: missing",
		`{"id": "a", "lines": [{"price": 1}, {"price": "2"}]}`:   "lines[1].price: want number, got string",
		`{"id": "a", "lines": [], "payment": {"kind": "coin"}}`:  "payment: its keys fit no OrderPaymentCard or OrderPaymentCash",
		`[]`: "document: want object, got array",
	} {
		var order Order
		err := json.Unmarshal([]byte(document), &order)
		var place *DecodeError
		if err == nil || err.Error() != want || !errors.As(err, &place) {
			t.Errorf("%s: got %v, want %s", document, err, want)
		}
	}
	_, err := DecodeOrder(strings.NewReader(`{"id": "a", "lines": [{"price": 1}`))
	if want := "lines: not JSON: it ends where a comma or ']' is due (byte 34)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// What paths take of a document of 32 MB does not hold the document.
func TestPathsHoldNothingElse(t *testing.T) {
	lines := strings.Repeat(`{"price": 7, "sku": "`+strings.Repeat("x", 1<<10)+`"},`, 1<<15)
	document := []byte(`{"id": "` + strings.Repeat("i", 100) + `", "lines": [` + lines + `{"price": 1}]}`)
	lines = ""
	before := live()
	found, err := ExtractPrices(document)
	if err != nil || len(found.LinesPrice) != 1<<15+1 || len(found.ID) != 100 {
		t.Fatal(err, len(found.LinesPrice))
	}
	size := len(document)
	document = nil // from here on only found is alive
	held := int(live()) - int(before) + size
	if limit := 2*8*(1<<15+1) + 4096; held > limit {
		t.Errorf("%d bytes are held, %d at most are the prices", held, limit)
	}
	runtime.KeepAlive(found)
}

func live() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
