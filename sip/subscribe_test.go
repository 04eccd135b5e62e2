package sip

import (
	"encoding/xml"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
	"strowger/sip/siptest"
)

// board is what there is to watch in tests: lamps by key, which is "of:" and the name, and mailboxes likewise.
type board struct {
	mu     sync.Mutex
	states map[string]LampState
	counts map[string]MessageCount
}

func (b *board) Lamp(_, name string) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.states["of:"+name]
	return "of:" + name, ok
}

func (b *board) LampState(_, key string) (LampState, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.states[key]
	return s, ok
}

func (b *board) Mailbox(user, name string) (string, bool) { return "box:" + user, name == user }

func (b *board) Messages(key string) (MessageCount, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.counts[key]
	return c, ok
}

// set changes a lamp.
func (b *board) set(r *rig, name string, calls ...LampCall) {
	b.mu.Lock()
	s := b.states["of:"+name]
	s.Open, s.Calls = true, calls
	b.states["of:"+name] = s
	b.mu.Unlock()
	r.srv.LampChanged("of:" + name)
}

// watching is story with lamps and mailboxes.
func watching(t *testing.T, f func(*rig, *board)) {
	t.Helper()
	b := &board{states: map[string]LampState{"of:202": {Name: "Bob", Open: true}, "of:70": {}}, counts: map[string]MessageCount{"box:ann": {New: 2, Old: 1, Dial: "*97"}}}
	story(t, func(r *rig) { f(r, b) }, func(c *Config) { c.Lamps, c.Messages = b, b })
}

// subscribes subscribes ann's phone and returns the first NOTIFY.
func (r *rig) subscribes(event, name string, headers ...string) (*siptest.Dialog, *siptest.Message) {
	r.Helper()
	d, res := r.asks(r.phone, "ann-desk", "sip:"+name+"@10.0.0.1", "SUBSCRIBE", "", append([]string{"Event: " + event}, headers...)...)
	if res.Code() != 200 || res.Tag("To") == "" || res.ContactURI() == "" {
		r.Fatalf("SUBSCRIBE: %+v", res)
	}
	d.Confirm(res)
	return d, r.told(d)
}

// told takes a NOTIFY and answers it.
func (r *rig) told(d *siptest.Dialog) *siptest.Message {
	r.Helper()
	n := r.phone.Expect("NOTIFY")
	d.Reply(n, 200, "")
	return n
}

// document is a dialog-info document as a phone reads it.
type document struct {
	Version int    `xml:"version,attr"`
	State   string `xml:"state,attr"`
	Entity  string `xml:"entity,attr"`
	Dialogs []struct {
		ID        string `xml:"id,attr"`
		CallID    string `xml:"call-id,attr"`
		LocalTag  string `xml:"local-tag,attr"`
		RemoteTag string `xml:"remote-tag,attr"`
		Direction string `xml:"direction,attr"`
		State     string `xml:"state"`
		Remote    string `xml:"remote>identity"`
	} `xml:"dialog"`
}

func read(t *testing.T, n *siptest.Message) (d document) {
	t.Helper()
	if err := xml.Unmarshal([]byte(n.Body), &d); err != nil {
		t.Fatalf("%v in %s", err, n.Body)
	}
	if n.Get("Content-Type") != "application/dialog-info+xml" || d.State != "full" {
		t.Errorf("document %q: %s", n.Get("Content-Type"), n.Body)
	}
	return d
}

// A lamp follows its calls: full states with rising versions (RFC 4235 §4.3), until the phone has enough of it.
func TestLamp(t *testing.T) {
	watching(t, func(r *rig, b *board) {
		d, first := r.subscribes("dialog;id=7", "202", "Expires: 600", "Accept: application/dialog-info+xml")
		if doc := read(t, first); len(doc.Dialogs) != 0 || doc.Version != 0 || !strings.HasPrefix(doc.Entity, "sip:202@") {
			t.Errorf("at first: %+v", doc)
		}
		if first.Get("Event") != "dialog;id=7" || first.Get("Subscription-State") != "active;expires=600" {
			t.Errorf("NOTIFY: %+v", first)
		}
		r.phone.Silent(time.Second)
		b.set(r, "202", LampCall{ID: "c1", Stage: LampEarly, Incoming: true, Remote: call.Party{Number: "+12025550900", Name: `Dee & "Poe"`}})
		doc := read(t, r.told(d))
		if len(doc.Dialogs) != 1 || doc.Version != 1 || doc.Dialogs[0].State != "early" || doc.Dialogs[0].Direction != "recipient" ||
			!strings.HasPrefix(doc.Dialogs[0].Remote, "sip:+12025550900@") {
			t.Errorf("ringing: %+v", doc)
		}
		r.srv.LampChanged("of:202", "of:201") // nothing new
		r.phone.Silent(time.Second)
		b.set(r, "202", LampCall{ID: "c1", Stage: LampConfirmed, Incoming: true})
		if doc = read(t, r.told(d)); doc.Dialogs[0].State != "confirmed" || doc.Dialogs[0].Remote != "" {
			t.Errorf("talking: %+v", doc)
		}
		b.set(r, "202")
		if doc = read(t, r.told(d)); len(doc.Dialogs) != 1 || doc.Dialogs[0].State != "terminated" || doc.Dialogs[0].ID != "c1" {
			t.Errorf("over: %+v", doc)
		}
		r.srv.LampChanged("of:202")
		r.phone.Silent(time.Second)

		d.Do("SUBSCRIBE", "", "Event: dialog;id=7", "Expires: 300")
		if res := r.phone.Expect("200"); res.Get("Expires") != "300" {
			t.Errorf("200: %+v", res)
		}
		if doc = read(t, r.told(d)); len(doc.Dialogs) != 0 || doc.Version != 4 {
			t.Errorf("renewed: %+v", doc)
		}
		d.Do("SUBSCRIBE", "", "Event: dialog;id=7", "Expires: 0")
		r.phone.Expect("200")
		if last := r.told(d); last.Get("Subscription-State") != "terminated;reason=timeout" {
			t.Errorf("last: %+v", last)
		}
		if n := r.srv.Subscriptions(); n != 0 {
			t.Errorf("%d subscriptions left", n)
		}
		d.Do("SUBSCRIBE", "", "Event: dialog;id=7", "Expires: 300")
		r.phone.Expect("481")
	})
}

// However fast a state changes, a phone hears of it five times a second at most, and of the last one.
func TestLampCalmly(t *testing.T) {
	watching(t, func(r *rig, b *board) {
		d, _ := r.subscribes("dialog", "202")
		start, told := time.Now(), 0
		for i := range 100 {
			b.set(r, "202", LampCall{ID: fmt.Sprint("c", i), Stage: LampEarly})
			time.Sleep(10 * time.Millisecond)
		}
		var last document
		for {
			n := r.phone.Next(time.Second)
			if n == nil {
				break
			}
			told++
			last = read(t, n)
			d.Reply(n, 200, "")
		}
		if limit := int(time.Since(start)/notifyPause) + 1; told > limit || told < 2 {
			t.Errorf("told %d times, want at most %d", told, limit)
		}
		if len(last.Dialogs) == 0 || last.Dialogs[0].ID != "c99" {
			t.Errorf("at last: %+v", last)
		}
	})
}

// Who may pick a call up learns its tags, as the watched phone has them.
func TestLampTags(t *testing.T) {
	watching(t, func(r *rig, b *board) {
		bob := r.taker()
		p := r.dials(answerSDP)
		invite := r.phone.Expect("INVITE")
		ann := r.phone.Accept(invite)
		ann.Reply(invite, 180, "")
		p.expect(call.Progress)
		b.set(r, "202", LampCall{ID: "c1", Stage: LampEarly, Incoming: true, SIPCallID: p.leg.SIPCallID()})
		d, res := r.asks(bob, "bob-desk", "sip:202@10.0.0.1", "SUBSCRIBE", "", "Event: dialog")
		d.Confirm(res)
		n := bob.Expect("NOTIFY")
		d.Reply(n, 200, "")
		if got := read(t, n).Dialogs[0]; got.CallID != ann.CallID || got.LocalTag != ann.LocalTag || got.RemoteTag != invite.Tag("From") {
			t.Errorf("tags: %+v", got)
		}
	})
}

func TestPresence(t *testing.T) {
	watching(t, func(r *rig, b *board) {
		d, first := r.subscribes("presence", "202")
		if first.Get("Content-Type") != "application/pidf+xml" || !strings.Contains(first.Body, "<basic>open</basic>") || strings.Contains(first.Body, "<note>") {
			t.Errorf("idle: %s", first.Body)
		}
		b.set(r, "202", LampCall{ID: "c1", Stage: LampConfirmed})
		if n := r.told(d); !strings.Contains(n.Body, "<note>On the phone</note>") || !strings.Contains(n.Body, "<rpid:on-the-phone/>") {
			t.Errorf("talking: %s", n.Body)
		}
		b.mu.Lock()
		b.states["of:202"] = LampState{Open: true, DND: true}
		b.mu.Unlock()
		r.srv.LampChanged("of:202")
		if n := r.told(d); !strings.Contains(n.Body, "<basic>closed</basic>") || !strings.Contains(n.Body, "<note>Do not disturb</note>") {
			t.Errorf("undisturbed: %s", n.Body)
		}
		b.mu.Lock()
		delete(b.states, "of:202")
		b.mu.Unlock()
		r.srv.LampChanged("of:202")
		if n := r.told(d); n.Get("Subscription-State") != "terminated;reason=noresource" {
			t.Errorf("gone: %+v", n)
		}
	})
}

func TestMessageSummary(t *testing.T) {
	watching(t, func(r *rig, b *board) {
		d, first := r.subscribes("message-summary", "ann")
		if want := "Messages-Waiting: yes\r\nMessage-Account: sip:*97@"; !strings.HasPrefix(first.Body, want) || !strings.HasSuffix(first.Body, "\r\nVoice-Message: 2/1 (0/0)\r\n") {
			t.Errorf("body %q", first.Body)
		}
		b.mu.Lock()
		b.counts["box:ann"] = MessageCount{Old: 3}
		b.mu.Unlock()
		r.srv.MessagesChanged("box:ann")
		if n := r.told(d); n.Body != "Messages-Waiting: no\r\nVoice-Message: 0/3 (0/0)\r\n" || n.Get("Content-Type") != "application/simple-message-summary" {
			t.Errorf("heard: %q", n.Body)
		}
		if _, res := r.asks(r.phone, "ann-desk", "sip:202@10.0.0.1", "SUBSCRIBE", "", "Event: message-summary"); res.Code() != 404 {
			t.Errorf("another's mailbox: %s", res.Start)
		}
	})
}

// Phones that do not ask are told too: when they have registered, and when something changes.
func TestMessagesUnasked(t *testing.T) {
	b := &board{counts: map[string]MessageCount{"box:ann": {New: 1}}}
	story(t, func(r *rig) {
		d := r.phone.NewDialog("sip:ann-desk@"+testRealm, "sip:ann-desk@"+testRealm)
		if res := r.proves(d, "ann-desk", "REGISTER", ""); res.Code() != 200 || !strings.Contains(res.Get("Allow-Events"), "message-summary") {
			t.Fatalf("REGISTER: %+v", res)
		}
		n := r.told(d)
		if n.Get("Event") != "message-summary" || n.Get("Subscription-State") != "active" || !strings.HasPrefix(n.Body, "Messages-Waiting: yes") || n.URI() != "sip:phone@"+phoneAddr {
			t.Errorf("NOTIFY: %+v", n)
		}
		b.mu.Lock()
		b.counts["box:ann"] = MessageCount{}
		b.mu.Unlock()
		r.srv.MessagesChanged("box:ann")
		if n = r.told(d); !strings.HasPrefix(n.Body, "Messages-Waiting: no") {
			t.Errorf("NOTIFY: %+v", n)
		}
		r.srv.MessagesChanged("box:bob")
		r.phone.Silent(time.Minute)
		r.subscribes("message-summary", "ann")
		r.srv.MessagesChanged("box:ann")
		r.phone.Silent(10 * time.Second)
	}, func(c *Config) { c.Messages, c.TellMessages, c.Lamps = b, true, b })
}

// How subscriptions end by themselves.
func TestSubscriptionEnds(t *testing.T) {
	watching(t, func(r *rig, b *board) {
		d, _ := r.subscribes("dialog", "202", "Expires: 60")
		time.Sleep(61 * time.Second)
		if last := r.told(d); last.Get("Subscription-State") != "terminated;reason=timeout" {
			t.Errorf("last: %+v", last)
		}

		// A phone that knows nothing of it, as after a restart of its own.
		d, _ = r.subscribes("dialog", "202")
		b.set(r, "202", LampCall{ID: "c1", Stage: LampTrying})
		d.Reply(r.phone.Expect("NOTIFY"), 481, "")
		synctest.Wait()
		if n := r.srv.Subscriptions(); n != 0 {
			t.Errorf("%d subscriptions after 481", n)
		}

		// One that is in trouble hears of the next change.
		d, _ = r.subscribes("dialog", "202")
		b.set(r, "202")
		d.Reply(r.phone.Expect("NOTIFY"), 503, "")
		b.set(r, "202", LampCall{ID: "c2", Stage: LampTrying})
		r.told(d)

		// The same phone again: the first one is forgotten.
		d, _ = r.subscribes("dialog", "202")
		if n := r.srv.Subscriptions(); n != 1 {
			t.Errorf("%d subscriptions after a restart of the phone", n)
		}

		// One that does not answer any more.
		b.set(r, "202")
		r.phone.Expect("NOTIFY")
		time.Sleep(time.Minute)
		if n := r.srv.Subscriptions(); n != 0 {
			t.Errorf("%d subscriptions of a phone that is gone", n)
		}

		// A look without a subscription (RFC 6665 §4.4.3).
		_, now := r.subscribes("dialog", "202", "Expires: 0")
		if now.Get("Subscription-State") != "terminated;reason=timeout" || r.srv.Subscriptions() != 0 {
			t.Errorf("fetched: %+v", now)
		}
	})
}

// Nobody gets in who may not, and everybody learns why.
func TestSubscribeRefused(t *testing.T) {
	watching(t, func(r *rig, b *board) {
		for _, tc := range []struct {
			name    string
			headers []string
			code    int
			header  string
			want    string
		}{
			{"202", []string{"Event: weather"}, 489, "Allow-Events", "dialog, presence, message-summary, refer"},
			{"202", nil, 489, "Allow-Events", "dialog, presence, message-summary, refer"},
			{"202", []string{"Event: dialog", "Expires: 10"}, 423, "Min-Expires", "60"},
			{"202", []string{"Event: dialog", "Accept: application/pidf+xml"}, 406, "Accept", "application/dialog-info+xml"},
			{"299", []string{"Event: dialog"}, 404, "", ""},
		} {
			_, res := r.asks(r.phone, "ann-desk", "sip:"+tc.name+"@10.0.0.1", "SUBSCRIBE", "", tc.headers...)
			if res.Code() != tc.code || tc.header != "" && res.Get(tc.header) != tc.want {
				t.Errorf("%v: %s %q, want %d %q", tc.headers, res.Start, res.Get(tc.header), tc.code, tc.want)
			}
		}
		d := r.carrier.NewDialog("sip:+12025550900@10.0.0.2", "sip:202@10.0.0.1")
		d.Do("SUBSCRIBE", "", "Event: dialog")
		r.carrier.Expect("403")
		r.srv.subs.byUser["ann"] = maxUserSubscription
		if _, res := r.asks(r.phone, "ann-desk", "sip:202@10.0.0.1", "SUBSCRIBE", "", "Event: dialog"); res.Code() != 403 {
			t.Errorf("one too many: %s", res.Start)
		}
	})
}

// A server that ends says so: phones come back when it is there again.
func TestSubscriptionFarewell(t *testing.T) {
	watching(t, func(r *rig, b *board) {
		d, _ := r.subscribes("dialog", "202")
		r.srv.subs.close(r.Context())
		if last := r.told(d); last.Get("Subscription-State") != "terminated;reason=deactivated" {
			t.Errorf("last: %+v", last)
		}
	})
}

func FuzzSubscribe(f *testing.F) {
	f.Add("dialog;id=7", "application/dialog-info+xml, */*", "600")
	f.Add("presence", "text/*;q=0", "-1")
	f.Add(";;id=", ",,", "99999999999")
	packages := packagesOf(Config{Lamps: &board{}, Messages: &board{}})
	f.Fuzz(func(t *testing.T, event, accept, expires string) {
		req := sipmsg.NewRequest(sipmsg.SUBSCRIBE, sipmsg.Uri{})
		for name, value := range map[string]string{"Event": event, "Accept": accept, "Expires": expires} {
			req.AppendHeader(sipmsg.NewHeader(name, value))
		}
		r, p := readSubscribe(req, packages)
		if p == nil && (r.event == nil || r.expires < 0 || r.expires > maxSubscription || r.expires > 0 && r.expires < minSubscription ||
			strings.ContainsAny(r.header, "\r\n \t")) {
			t.Errorf("%q %q %q became %+v", event, accept, expires, r)
		}
	})
}

// A subscription over a connection ends with it: nobody but the phone can open another.
func TestSubscriptionFlow(t *testing.T) {
	o := newOffice()
	lamps := &board{states: map[string]LampState{"of:202": {Open: true}}}
	cfg := o.config()
	cfg.Lamps = lamps
	s := startEdge(t, cfg)
	w := dialWire(t, "tcp", s.Addrs().TCP)
	w.subscribes("202")
	eventually(t, "the phone should be subscribed", func() bool { return s.Subscriptions() == 1 })
	_ = w.conn.Close()
	eventually(t, "the subscription should end", func() bool { return s.Subscriptions() == 0 })
}
