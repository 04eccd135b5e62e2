package sip

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"strowger/store"
)

// TestRegistrationChanges: whoever shows phones hears of each that comes, moves and goes, by whatever way, and of no refresh.
func TestRegistrationChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := newLocationTable(nil, zerolog.Nop())
		told := 0
		table.changed = func(user string) {
			if user != "ann" {
				t.Errorf("told of %q", user)
			}
			table.registrations(user, time.Now()) // may be asked at once
			told++
		}
		done := runTable(t, table)
		defer done()
		update := func(contact, flow string, seq uint32, life time.Duration) {
			t.Helper()
			b := binding(contact, seq, time.Time{})
			if b.Flow = flow; life > 0 {
				b.Expires = time.Now().Add(life)
			}
			if _, err := table.update("ann", []store.Binding{b}, 10, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		expect := func(what string, want int) {
			t.Helper()
			if told != want {
				t.Errorf("%s: told %d times, want %d", what, told, want)
			}
			told = 0
		}
		update("sip:a@10.0.0.1", "", 1, time.Minute)
		expect("a contact", 1)
		update("sip:a@10.0.0.1", "", 2, time.Minute)
		expect("a refresh", 0)
		update("sip:a@10.0.0.1", "f1", 3, time.Minute)
		expect("another connection", 1)
		update("sip:b@10.0.0.1", "f1", 1, time.Minute)
		told = 0
		table.dropFlow("f1")
		expect("a connection that closed over two contacts", 1)
		table.dropFlow("f1")
		expect("the same once more", 0)
		update("sip:c@10.0.0.1", "", 1, time.Minute)
		update("sip:c@10.0.0.1", "", 2, 0)
		expect("come and gone", 2)
		update("sip:d@10.0.0.1", "", 1, time.Minute)
		table.removeDevice("ann", "ann-desk", time.Now())
		expect("a device that went", 2)
		update("sip:e@10.0.0.1", "", 1, time.Minute)
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		expect("one that expired", 2)
	})
}

func TestKinds(t *testing.T) {
	office := newOffice()
	s := startEdge(t, office.config())
	now := time.Now()
	register := func(device, kind, contact string) {
		b := binding(contact, 1, now.Add(time.Minute))
		b.Device, b.Kind = device, kind
		if _, err := s.location.update("ann", []store.Binding{b}, 10, now); err != nil {
			t.Fatal(err)
		}
	}
	register("ann-desk", store.Desk, "sip:a@10.0.0.1")
	register("ann-desk", store.Desk, "sip:b@10.0.0.1")
	register("browser:x", store.Browser, "sip:c@10.0.0.1")
	register("ann-gone", store.Mobile, "sip:d@10.0.0.1")
	if got := s.Kinds()["ann"]; !slices.Equal(got, []string{store.Desk, store.Browser}) {
		t.Errorf("ann can be rung at %v", got)
	}
}
