// When a finalizer on the value of a map runs, and what SetFinalizer takes.
package main

import (
	"bytes"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"lab/measure"
)

var (
	ran    atomic.Int64
	values = map[string]*bytes.Buffer{}
)

// settled collects until as many finalizers ran as are wanted, or for two seconds, and says how many did.
func settled(want int64) int64 {
	for i := 0; i < 5 || i < 100 && ran.Load() < want; i++ {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	return ran.Load()
}

func onValues() {
	for i := 0; i < 1000; i++ {
		value := new(bytes.Buffer)
		runtime.SetFinalizer(value, func(*bytes.Buffer) { ran.Add(1) })
		values[strconv.Itoa(i)] = value
	}
	measure.Print("ran_while_stored", settled(1))
	for i := 0; i < 400; i++ {
		delete(values, strconv.Itoa(i))
	}
	measure.Print("ran_after_400_deleted", settled(400))
	values = nil
	measure.Print("ran_after_map_dropped", settled(1000))
}

func statistics() {
	fields := reflect.VisibleFields(reflect.TypeOf(debug.GCStats{}))
	named := 0
	for _, field := range fields {
		if strings.Contains(field.Name, "Final") {
			named++
		}
	}
	measure.Print("gcstats_finalizer_fields", named)
	counted := 0
	for _, metric := range metrics.All() {
		if strings.HasPrefix(metric.Name, "/gc/finalizers/") {
			counted++
		}
	}
	measure.Print("finalizer_metrics_known", counted)
}

func main() {
	defer func() { measure.Print("recovered", recover() != nil) }()
	switch os.Args[1] {
	case "on_values":
		onValues()
	case "statistics":
		statistics()
	case "on_string":
		runtime.SetFinalizer("key", func(string) {})
	}
}
