package work

import (
	"runtime"
	"strconv"
	"testing"

	"lab/measure"
)

// of returns what the memory profile has for a function, from as many samples as there are.
func of(function string) (allocObjects, inUseBytes int64) {
	runtime.GC()
	runtime.GC()
	count, _ := runtime.MemProfile(nil, true)
	records := make([]runtime.MemProfileRecord, count+100)
	count, _ = runtime.MemProfile(records, true)
	for _, record := range records[:count] {
		frames := runtime.CallersFrames(record.Stack())
		for more := true; more; {
			var frame runtime.Frame
			frame, more = frames.Next()
			if frame.Function == "lab."+function {
				allocObjects += record.AllocObjects
				inUseBytes += record.InUseBytes()
				break
			}
		}
	}
	return allocObjects, inUseBytes
}

// TestRounds does the same again and again, and counts the rounds whose figure is within 5 % of the mean.
func TestRounds(t *testing.T) {
	const rounds = 16
	var each [rounds]float64
	var last int64
	for i := range each {
		keepNothing()
		objects, _ := of("keepNothing")
		each[i] = float64(objects - last)
		last = objects
	}
	mean, near := float64(last)/rounds, 0
	for _, objects := range each {
		if 0.95*mean <= objects && objects <= 1.05*mean {
			near++
		}
	}
	measure.Print("rounds", rounds)
	measure.Print("rounds_within_5_percent", near)
}

func TestThreeTimes(t *testing.T) {
	for i := 1; i <= 3; i++ {
		keepNothing()
		keepAll()
		objects, _ := of("keepNothing")
		measure.Print("nothing_kept_objects_"+strconv.Itoa(i), objects)
		objects, bytes := of("keepAll")
		measure.Print("all_kept_objects_"+strconv.Itoa(i), objects)
		measure.Print("all_kept_"+strconv.Itoa(i)+"_bytes", bytes)
	}
}
