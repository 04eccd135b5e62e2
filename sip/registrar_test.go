package sip

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"strowger/sip/call"
	"strowger/store"
)

func TestRegistrar(t *testing.T) {
	const instance = `;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>";reg-id=1`
	type step struct {
		device, extra string
		status        int
		contacts      int    // in the answer
		has           string // in the first Contact, or in the header that the status wants
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"plain", []step{{"ann-desk", "Contact: <sip:a@10.0.0.1>\n", 200, 1, "<sip:a@10.0.0.1>;expires=600"}}},
		{"query", []step{{"ann-desk", "Contact: <sip:a@10.0.0.1>\n", 200, 1, ""}, {"ann-desk", "", 200, 1, "sip:a@10.0.0.1"}}},
		{"expires header", []step{{"ann-desk", "Contact: <sip:a@10.0.0.1>\nExpires: 100\n", 200, 1, "expires=100"}}},
		{"expires parameter wins", []step{{"ann-desk", "Contact: <sip:a@10.0.0.1>;expires=200\nExpires: 100\n", 200, 1, "expires=200"}}},
		{"too long", []step{{"ann-desk", "Contact: <sip:a@10.0.0.1>;expires=100000\n", 200, 1, "expires=3600"}}},
		{"too brief", []step{{"ann-desk", "Contact: <sip:a@10.0.0.1>;expires=5\n", 423, 0, "30"}}},
		{"malformed expires means an hour", []step{{"ann-desk", "Contact: <sip:a@10.0.0.1>;expires=soon\n", 200, 1, "expires=3600"}}},
		{"removal", []step{{"ann-desk", "Contact: <sip:a@10.0.0.1>\n", 200, 1, ""}, {"ann-desk", "Contact: <sip:a@10.0.0.1>;expires=0\n", 200, 0, ""}}},
		{"several contacts", []step{{"ann-desk", "Contact: <sip:a@10.0.0.1>;q=0.5, \"A, B\" <sip:a@10.0.0.2>;x=\"1,2\"\nContact:+ sip:a@10.0.0.3;expires=90\n", 200, 3, "q=0.5"}}},
		{"several devices", []step{{"ann-desk", "Contact: <sip:a@10.0.0.1>\n", 200, 1, ""}, {"ann-mobile", "Contact: <sip:a@10.0.0.2>\n", 200, 2, ""}}},
		{"star removes the device's own", []step{
			{"ann-desk", "Contact: <sip:a@10.0.0.1>, <sip:b@10.0.0.1>\n", 200, 2, ""},
			{"ann-mobile", "Contact: <sip:a@10.0.0.2>\n", 200, 3, ""},
			{"ann-desk", "Contact: *\nExpires: 0\n", 200, 1, "10.0.0.2"}}},
		{"star without zero", []step{{"ann-desk", "Contact: *\nExpires: 60\n", 400, 0, ""}}},
		{"star and another", []step{{"ann-desk", "Contact: *\nContact:+ <sip:a@10.0.0.1>\nExpires: 0\n", 400, 0, ""}}},
		{"instance replaces its old contact", []step{
			{"ann-desk", "Supported: outbound\nContact: <sip:a@10.0.0.1>" + instance + "\n", 200, 1, "reg-id=1"},
			{"ann-desk", "Supported: outbound\nContact: <sip:a@10.0.0.9>" + instance + "\n", 200, 1, "10.0.0.9"}}},
		{"another flow of the instance", []step{
			{"ann-desk", "Contact: <sip:a@10.0.0.1>" + instance + "\n", 200, 1, ""},
			{"ann-desk", "Contact: <sip:a@10.0.0.1>" + strings.Replace(instance, "=1", "=2", 1) + "\n", 200, 2, ""}}},
		{"path", []step{{"ann-desk", "Supported: path\nPath: <sip:p1;lr>, <sip:p2;lr>\nContact: <sip:a@10.0.0.1>\n", 200, 1, ""}}},
		{"path that the phone does not know", []step{{"ann-desk", "Path: <sip:p1;lr>\nContact: <sip:a@10.0.0.1>\n", 421, 0, "path"}}},
		{"one bad contact spoils all", []step{
			{"ann-desk", "Contact: <sip:a@10.0.0.1>, <mailto:a@b>\n", 400, 0, ""}, {"ann-desk", "", 200, 0, ""}}},
		{"extension as To", []step{{"ann-desk", "To: <sip:201@" + testRealm + ">\nContact: <sip:a@10.0.0.1>\n", 200, 1, ""}}},
		{"too long", []step{
			{"ann-desk", "Contact: <sip:" + strings.Repeat("a", maxAddress) + "@10.0.0.1>\n", 400, 0, ""},
			{"ann-desk", "Supported: path\nPath: <sip:10.0.0.9;x=" + strings.Repeat("a", maxAddress) + ";lr>\nContact: <sip:a@10.0.0.1>\n", 400, 0, ""},
			{"ann-desk", "", 200, 0, ""}}},
		{"too many", []step{
			{"ann-desk", "Contact: " + manyContacts(5) + "\n", 200, 5, ""},
			{"ann-desk", "Contact: <sip:one-more@10.0.0.1>\n", 403, 0, ""},
			{"ann-desk", "Contact: <sip:c0@10.0.0.1>\n", 200, 5, ""}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := newOffice().config()
			cfg.MaxContacts = 5
			s := startEdge(t, cfg)
			wires := map[string]*wire{}
			for i, step := range test.steps {
				w := wires[step.device]
				if w == nil {
					w = dialWire(t, "udp", s.Addrs().UDP)
					wires[step.device] = w
				}
				a := w.register(step.device, step.extra)
				if a.status != step.status {
					t.Fatalf("step %d answered %q, want %d", i, a.line, step.status)
				}
				got := a.all("Contact")
				if len(got) != step.contacts {
					t.Fatalf("step %d: %d contacts %q, want %d", i, len(got), got, step.contacts)
				}
				text := a.header("Contact")
				switch a.status {
				case 423:
					text = a.header("Min-Expires")
				case 421:
					text = a.header("Require")
				}
				if !strings.Contains(text, step.has) {
					t.Errorf("step %d: %q lacks %q", i, text, step.has)
				}
			}
		})
	}
}

func manyContacts(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("<sip:c%d@10.0.0.1>", i))
	}
	return strings.Join(list, ", ")
}

// binding of ann-desk for tests of the table.
func binding(contact string, seq uint32, expires time.Time) store.Binding {
	return store.Binding{User: "ann", Device: "ann-desk", Kind: store.Desk, Contact: contact, CallID: "one", CSeq: seq, Transport: "udp",
		Source: "10.0.0.1:5060", Expires: expires}
}

func TestBindingsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &memoryBindings{}
		table := newLocationTable(kept, zerolog.Nop())
		done := runTable(t, table)
		defer done()
		now := time.Now()
		for i, life := range []time.Duration{60, 120, 180} {
			b := binding(fmt.Sprintf("sip:a@10.0.0.%d", i), 1, now.Add(life*time.Second))
			if _, err := table.update("ann", []store.Binding{b}, 10, now); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(100 * time.Second)
		// A refresh of the second outlives its first expiry.
		b := binding("sip:a@10.0.0.1", 2, time.Now().Add(60*time.Second))
		if _, err := table.update("ann", []store.Binding{b}, 10, time.Now()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		if n := len(table.registrations("ann", time.Now())); n != 2 {
			t.Errorf("%d bindings after 130 s, want 2", n)
		}
		time.Sleep(60 * time.Second)
		if n := len(table.registrations("", time.Now())); n != 0 {
			t.Errorf("%d bindings after 190 s", n)
		}
		time.Sleep(2 * writeLater)
		if n, _ := kept.counts(); n != 0 {
			t.Errorf("%d bindings are left in the store", n)
		}
	})
}

// runTable runs the table's writer until the returned function is called.
func runTable(t *testing.T, table *locationTable) (stop func()) {
	ctx, cancel := contextWithCancel(t)
	ended := make(chan struct{})
	go func() { defer close(ended); table.run(ctx) }()
	return func() { cancel(); <-ended }
}

// A refresh costs no write of its own: a thousand refreshes within a second are one or two batches.
func TestBindingsAreWrittenBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &memoryBindings{}
		table := newLocationTable(kept, zerolog.Nop())
		defer runTable(t, table)()
		refresh := func(seq uint32) {
			b := binding("sip:a@10.0.0.1", seq, time.Now().Add(time.Minute))
			if _, err := table.update("ann", []store.Binding{b}, 10, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		refresh(1)
		time.Sleep(2 * writeSoon)
		if _, saves := kept.counts(); saves != 1 {
			t.Fatalf("a new contact was written %d times after %v", saves, 2*writeSoon)
		}
		for i := range 1000 {
			refresh(uint32(i + 2))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(2 * writeLater)
		if n := len(table.expiry); n != 1 {
			t.Errorf("one binding has %d entries in the queue", n)
		}
		if _, saves := kept.counts(); saves > 3 {
			t.Errorf("1000 refreshes cost %d writes", saves-1)
		}
		stored, _ := kept.LoadBindings()
		for _, b := range stored {
			if b.CSeq != 1001 {
				t.Errorf("CSeq %d is stored, want the last", b.CSeq)
			}
		}
	})
}

// What could not be written is written later, and never over something newer.
func TestBindingsSurviveAFailedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &memoryBindings{err: errors.New("disk full")}
		table := newLocationTable(kept, zerolog.Nop())
		defer runTable(t, table)()
		b := binding("sip:a@10.0.0.1", 1, time.Now().Add(time.Hour))
		if _, err := table.update("ann", []store.Binding{b}, 10, time.Now()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		kept.mu.Lock()
		kept.err = nil
		kept.mu.Unlock()
		time.Sleep(2 * writeFailed)
		if n, _ := kept.counts(); n != 1 {
			t.Error("the binding was lost")
		}
	})
}

// After a restart phones on UDP still ring; connections are gone, and their bindings with them.
func TestRestart(t *testing.T) {
	kept := &memoryBindings{}
	cfg := newOffice().config()
	cfg.Bindings = kept
	first, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	udp, tcp := dialWire(t, "udp", first.Addrs().UDP), dialWire(t, "tcp", first.Addrs().TCP)
	for device, w := range map[string]*wire{"ann-desk": udp, "ann-mobile": tcp} {
		if a := w.register(device, w.contact("")); a.status != 200 {
			t.Fatal(a.line)
		}
	}
	if n := len(first.Endpoints("ann", []string{store.Desk, store.Mobile})); n != 2 {
		t.Fatalf("%d endpoints before the restart", n)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := startEdge(t, cfg)
	list := second.Endpoints("ann", []string{store.Desk, store.Mobile})
	if len(list) != 1 || list[0].Binding.Device != "ann-desk" {
		t.Errorf("after the restart: %+v", list)
	}
}

// A closed connection unregisters what was registered over it; a contact that appears is told, a refresh is not.
func TestFlowEndsItsBindings(t *testing.T) {
	s := startEdge(t, newOffice().config())
	appeared := make(chan string, 10)
	stop := s.OnRegister(func(user string, e call.Endpoint) { appeared <- user + " " + e.Binding.Transport })
	w := dialWire(t, "tcp", s.Addrs().TCP)
	for range 2 {
		if a := w.register("ann-desk", w.contact("")); a.status != 200 {
			t.Fatal(a.line)
		}
	}
	if got := <-appeared; got != "ann tcp" || len(appeared) > 0 {
		t.Errorf("told %q and %d more", got, len(appeared))
	}
	stop()
	if _, _, _, ok := s.flowDestination(&s.Registrations("ann")[0]); !ok {
		t.Error("the phone cannot be reached over its connection")
	}
	_ = w.conn.Close()
	eventually(t, "the binding ends", func() bool { return len(s.Registrations("ann")) == 0 })
}

func TestFlowDestination(t *testing.T) {
	s, err := New(newOffice().config())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, contact, source string
		path                  []string
		addr                  string
	}{
		{"as it says", "sip:a@10.0.0.1:5070", "10.0.0.1:40000", nil, "10.0.0.1:5070"},
		{"default port", "sip:a@10.0.0.1", "10.0.0.1:40000", nil, "10.0.0.1:5060"},
		{"behind NAT", "sip:a@192.168.1.5:5060", "203.0.113.9:4444", nil, "203.0.113.9:4444"},
		{"a name", "sip:a@phone.invalid", "203.0.113.9:4444", nil, "203.0.113.9:4444"},
		{"a third party", "sip:a@198.51.100.1", "203.0.113.9:4444", nil, "203.0.113.9:4444"},
		{"through a proxy", "sip:a@10.0.0.1", "10.0.0.1:5080", []string{"<sip:10.0.0.1:5080;lr>"}, "10.0.0.1:5080"},
		{"IPv6", "sip:a@[2001:db8::1]:5070", "[2001:db8::1]:40000", nil, "[2001:db8::1]:5070"},
	} {
		b := store.Binding{Contact: test.contact, Source: test.source, Transport: "udp", Path: test.path}
		transport, addr, route, ok := s.flowDestination(&b)
		if transport != "UDP" || addr != test.addr || len(route) != len(test.path) || !ok {
			t.Errorf("%s: %s %s %q %v, want %s", test.name, transport, addr, route, ok, test.addr)
		}
	}
}

// The table against a model: whatever is registered, refreshed and removed in whatever order, it holds what RFC 3261 §10.3
// says, and the store holds the same after a flush.
func TestLocationTableProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kept := &memoryBindings{}
		table := newLocationTable(kept, zerolog.Nop())
		model := map[string]store.Binding{}
		now := time.Now()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			contact := rapid.SampledFrom([]string{"sip:a@h", "sip:b@h", "sip:c@h"}).Draw(t, "contact")
			b := binding(contact, rapid.Uint32Range(1, 8).Draw(t, "cseq"), now.Add(time.Hour))
			b.CallID = rapid.SampledFrom([]string{"one", "two"}).Draw(t, "call-id")
			if rapid.Bool().Draw(t, "remove") {
				b.Expires = time.Time{}
			}
			old, had := model[contact]
			refused := had && old.CallID == b.CallID && b.CSeq <= old.CSeq
			_, err := table.update("ann", []store.Binding{b}, 10, now)
			if refused != (err != nil) {
				t.Fatalf("%s CSeq %d after %d: %v", contact, b.CSeq, old.CSeq, err)
			}
			switch {
			case refused:
			case b.Expires.IsZero():
				delete(model, contact)
			default:
				model[contact] = b
			}
		}
		if err := table.flush(); err != nil {
			t.Fatal(err)
		}
		list := table.registrations("", now)
		if len(list) != len(model) || len(kept.kept) != len(model) {
			t.Fatalf("%d in the table, %d in the store, want %d", len(list), len(kept.kept), len(model))
		}
		for _, b := range list {
			if want := model[b.Contact]; b.CSeq != want.CSeq || b.CallID != want.CallID {
				t.Fatalf("%s: CSeq %d of %s, want %d of %s", b.Contact, b.CSeq, b.CallID, want.CSeq, want.CallID)
			}
		}
	})
}

// A phone behind NAT is kept reachable; one that is not is left alone.
func TestKeepAlive(t *testing.T) {
	for _, test := range []struct {
		binding store.Binding
		want    bool
	}{
		{store.Binding{Transport: "udp", Contact: "sip:a@192.168.1.5", Source: "203.0.113.9:4444"}, true},
		{store.Binding{Transport: "udp", Contact: "sip:a@phone.local", Source: "203.0.113.9:4444"}, true},
		{store.Binding{Transport: "udp", Contact: "sip:a@203.0.113.9:5060", Source: "203.0.113.9:4444"}, false},
		{store.Binding{Transport: "tcp", Contact: "sip:a@192.168.1.5", Source: "203.0.113.9:4444"}, false},
		{store.Binding{Transport: "udp", Contact: "sip:a@192.168.1.5", Source: "203.0.113.9:4444", Path: []string{"<sip:p;lr>"}}, false},
	} {
		if addr, ok := natted(&test.binding); ok != test.want || (ok && addr.String() != test.binding.Source) {
			t.Errorf("%+v: %v %v", test.binding, addr, ok)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		sent := &recordingSocket{to: make(chan string, 10)}
		s := &Server{location: newLocationTable(nil, zerolog.Nop()), listeners: listeners{udp: sent}}
		b := binding("sip:a@192.168.1.5", 1, time.Now().Add(time.Hour))
		if _, err := s.location.update("ann", []store.Binding{b}, 10, time.Now()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := contextWithCancel(t)
		ended := make(chan struct{})
		go func() { defer close(ended); s.keepAlive(ctx) }()
		time.Sleep(2*keepAliveInterval + time.Second)
		cancel()
		<-ended
		if n := len(sent.to); n != 2 {
			t.Fatalf("%d keep-alives in two intervals", n)
		}
		if got := <-sent.to; got != "10.0.0.1:5060 \r\n\r\n" {
			t.Errorf("sent %q", got)
		}
	})
}

// recordingSocket notes what is written.
type recordingSocket struct {
	net.PacketConn
	to chan string
}

func (r *recordingSocket) WriteTo(b []byte, to net.Addr) (int, error) {
	r.to <- to.String() + " " + string(b)
	return len(b), nil
}

// Over TLS the phone is offered SRTP: its keys are not in the clear.
func TestRegisterTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	defer server.Close()
	cfg := newOffice().config()
	cfg.TLS, cfg.TLSConfig = "127.0.0.1:0", &tls.Config{Certificates: server.TLS.Certificates}
	s := startEdge(t, cfg)
	conn, err := tls.Dial("tcp", s.Addrs().TLS, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, conn: conn}
	if a := w.register("ann-desk", w.contact("")); a.status != 200 {
		t.Fatal(a.line)
	}
	list := s.Endpoints("ann", []string{store.Desk})
	if len(list) != 1 || list[0].SRTP != call.SRTPOptional || list[0].WebRTC {
		t.Errorf("endpoints: %+v", list)
	}
	_ = conn.Close()
	eventually(t, "the binding ends", func() bool { return len(s.Registrations("ann")) == 0 })
}
