package sip

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

func uriOf(t *testing.T, s string) sipmsg.Uri {
	t.Helper()
	var u sipmsg.Uri
	if err := parseURI(s, &u); err != nil {
		t.Fatal(err)
	}
	return u
}

// RFC 3261 §12.2.1.1: loose and strict routing.
func TestDialogPath(t *testing.T) {
	for _, tc := range []struct {
		name   string
		routes []string
		uri    string
		want   []string
	}{
		{"direct", nil, "sip:callee@u2.domain.com", nil},
		{"loose", []string{"sip:p1;lr", "sip:p2;lr"}, "sip:callee@u2.domain.com", []string{"<sip:p1;lr>", "<sip:p2;lr>"}},
		{"loose, in capitals", []string{"sip:p1;LR=on"}, "sip:callee@u2.domain.com", []string{"<sip:p1;LR=on>"}},
		{"strict", []string{"sip:p1", "sip:p2;lr"}, "sip:p1", []string{"<sip:p2;lr>", "<sip:callee@u2.domain.com>"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := &dialog{callID: "c", localTag: "l", remoteTag: "r", target: uriOf(t, "sip:callee@u2.domain.com")}
			for _, r := range tc.routes {
				d.routes = append(d.routes, uriOf(t, r))
			}
			req := d.request(sipmsg.BYE)
			var got []string
			for _, h := range req.GetHeaders("route") {
				got = append(got, h.Value())
			}
			if req.Recipient.String() != tc.uri || !slices.Equal(got, tc.want) {
				t.Errorf("%s with %v, want %s with %v", req.Recipient.String(), got, tc.uri, tc.want)
			}
			if req.CSeq().SeqNo != 1 || d.request(sipmsg.ACK).CSeq().SeqNo != 1 || d.request(sipmsg.INFO).CSeq().SeqNo != 2 {
				t.Error("CSeq does not count requests")
			}
		})
	}
}

func TestHopOf(t *testing.T) {
	for _, tc := range []struct{ uri, seen, want string }{
		{"sip:x@192.0.2.7", "udp 192.0.2.1:5060", "udp 192.0.2.7:5060"},
		{"sip:x@192.0.2.7:5070;transport=tcp", "udp 192.0.2.1:5060", "tcp 192.0.2.7:5070"},
		{"sip:x@192.0.2.7;transport=TLS", "udp 192.0.2.1:5060", "tls 192.0.2.7:5061"},
		{"sips:x@h.test", "tcp 192.0.2.1:5060", "tls h.test:5061"},
		{"sip:x@[2001:db8::1]", "udp 192.0.2.1:5060", "udp [2001:db8::1]:5060"},
		{"sip:x@df7jal23ls0d.invalid;transport=ws", "ws 192.0.2.1:40000", "ws 192.0.2.1:40000"},
		{"sip:x@h.test;transport=ws", "wss 192.0.2.1:40000", "wss 192.0.2.1:40000"},
		{"sip:x@10.1.2.3", "udp 198.51.100.1:1024", "udp 198.51.100.1:1024"}, // behind a NAT
		{"sip:x@10.1.2.3", "udp 10.1.2.9:1024", "udp 10.1.2.3:5060"},
	} {
		uri := uriOf(t, tc.uri)
		transport, addr, _ := strings.Cut(tc.seen, " ")
		h := hopOf(&uri, hop{transport, addr})
		if got := h.transport + " " + h.addr; got != tc.want {
			t.Errorf("%s seen at %s goes to %s, want %s", tc.uri, tc.seen, got, tc.want)
		}
	}
}

// The queue keeps the order of each giver and never runs two functions at once.
func TestSerial(t *testing.T) {
	var q serial
	var wg sync.WaitGroup
	var got [3][]int // touched on the queue only: the race detector watches
	for giver := range got {
		wg.Go(func() {
			for i := range 300 {
				f := func() { got[giver] = append(got[giver], i) }
				switch i % 3 {
				case 0:
					q.post(f)
				case 1:
					q.run(f)
				default:
					q.wait(f)
				}
			}
		})
	}
	wg.Wait()
	q.wait(func() {})
	for giver, list := range got {
		if len(list) != 300 || !slices.IsSorted(list) {
			t.Errorf("giver %d: %d functions, sorted %v", giver, len(list), slices.IsSorted(list))
		}
	}
}

func TestBackoff(t *testing.T) {
	for failures := 1; failures < 100; failures++ {
		d := backoff(failures, minRetry, maxRetry)
		full := min(minRetry<<min(failures-1, 16), maxRetry)
		if d > full || d < full/2-time.Nanosecond {
			t.Errorf("after %d failures %v, want %v to %v", failures, d, full/2, full)
		}
	}
}
