package bolt

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"strowger/store"
)

// BenchmarkContactsByPhone looks callers up among a million contacts.
func BenchmarkContactsByPhone(b *testing.B) {
	d := openAt(b, filepath.Join(b.TempDir(), "s.db"), Options{})
	if _, err := d.ImportContacts(manyContacts(1_000_000, "Somebody", nil), nil); err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		i += 104729
		list, err := d.ContactsByPhone(fmt.Sprintf("+1202%07d", 2000000+i%1000000))
		if err != nil || len(list) != 1 {
			b.Fatal(len(list), err)
		}
	}
}

// BenchmarkCalls journals and records calls, as many at once as a busy system sets up; ns/op is for a whole call.
func BenchmarkCalls(b *testing.B) {
	for _, atOnce := range []int{1, 50, 500} {
		b.Run(fmt.Sprint(atOnce), func(b *testing.B) {
			d := openAt(b, filepath.Join(b.TempDir(), "s.db"), Options{})
			var n atomic.Int64
			start := time.Now()
			b.SetParallelism(atOnce)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := n.Add(1)
					rec := store.CallRecord{
						ID: fmt.Sprintf("%012d", i), Start: start.Add(time.Duration(i)), Participants: []string{"ann", "bob"},
						Plan: []byte(`{"policy":"standard"}`), Legs: make([]store.LegRecord, 3),
					}
					if err := d.OpenCall(rec); err != nil {
						b.Error(err)
					}
					if err := d.CloseCall(rec); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
