package sip

import (
	"maps"
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

// TestHostForMedia: each peer is told the address by which it reaches us, by SDP as by Contact.
func TestHostForMedia(t *testing.T) {
	office := newOffice()
	cfg := office.config()
	cfg.PublicHost = "203.0.113.7"
	cfg.Trunks = []TrunkConfig{{Name: "outside", Server: "198.51.100.1", Qualify: -1}, {Name: "gateway", Server: "127.0.0.9", Qualify: -1}}
	s := startEdge(t, cfg)
	now := time.Now()
	for contact, source := range map[string]string{"sip:a@127.0.0.1": "127.0.0.1:5060", "sip:b@198.51.100.2": "198.51.100.2:5060"} {
		b := binding(contact, 1, now.Add(time.Minute))
		b.Source = source
		if _, err := s.location.update("ann", []store.Binding{b}, 10, now); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	for _, e := range s.Endpoints("ann", []string{store.Desk}) {
		got[e.Binding.Source] = e.Host
	}
	for _, e := range s.Trunks("+12025550100", "") {
		got[e.Trunk] = e.Host
	}
	want := map[string]string{"127.0.0.1:5060": "127.0.0.1", "198.51.100.2:5060": "203.0.113.7", "outside": "203.0.113.7", "gateway": "127.0.0.1"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
