package carrier

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair returns two carriers that are each other's phone system.
func pair(t *testing.T) (*Carrier, *Carrier) {
	t.Helper()
	var c [2]*Carrier
	for i := range c {
		var err error
		if c[i], err = New(netip.MustParseAddrPort("127.0.0.1:0"), nil); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c[i].Close() })
	}
	c[0].Connect(c[1].Addr())
	c[1].Connect(c[0].Addr())
	return c[0], c[1]
}

func place(t *testing.T, to string, r Request) (Heard, string) {
	t.Helper()
	a, _ := pair(t)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	r.To, r.From = to, "+12025550900"
	var story []string
	heard, err := a.Call(ctx, r, func(s Step) { story = append(story, s.What) })
	if err != nil {
		t.Fatal(err)
	}
	return heard, strings.Join(story, ", ")
}

func TestEachNumberDoesWhatItSays(t *testing.T) {
	for _, test := range []struct {
		number, story string
		code          int
	}{
		{"+12025550191", "calling, trying, refused, ended", 486},
		{"+12025550193", "calling, trying, refused, ended", 404},
		{"+12025550194", "calling, trying, refused, ended", 503},
		{"+12025550199", "calling, trying, refused, ended", 603},
		{"+12025550196", "calling, trying, ringing, answered, ended", 200},
	} {
		t.Run(test.number, func(t *testing.T) {
			t.Parallel()
			heard, story := place(t, test.number, Request{For: 5 * time.Second})
			if story != test.story || heard.Code != test.code {
				t.Errorf("story %q with %d, want %q with %d", story, heard.Code, test.story, test.code)
			}
		})
	}
}

func TestEchoIsHeard(t *testing.T) {
	t.Parallel()
	heard, _ := place(t, "+12025550123", Request{Play: tone(700, 2*time.Second), For: 1500 * time.Millisecond})
	if n := loud(heard.Samples); n < 6000 {
		t.Errorf("%d samples of the echo were heard, want about 10000", n)
	}
}

func TestDigitsArrive(t *testing.T) {
	t.Parallel()
	heard, _ := place(t, "+12025550197", Request{For: 3 * time.Second})
	if heard.Keys != "1234#" {
		t.Errorf("keys %q, want 1234#", heard.Keys)
	}
}

func TestSilenceIsSilent(t *testing.T) {
	t.Parallel()
	heard, _ := place(t, "+12025550195", Request{For: time.Second})
	if len(heard.Samples) != 0 {
		t.Errorf("%d samples heard, want none", len(heard.Samples))
	}
}

func loud(samples []int16) (n int) {
	for _, v := range samples {
		if v > 1000 || v < -1000 {
			n++
		}
	}
	return n
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("INVITE sip:1@h SIP/2.0\r\nv: SIP/2.0/UDP h\r\n\r\nv=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := parse(data); err == nil {
			readSDP(m.body)
			m.reply(200, "OK", "t").bytes()
			userOf(m.uri)
		}
	})
}

// A mailbox announces itself while the caller speaks; the caller says it again once it is quiet.
func TestGreetingAgainAfterSilence(t *testing.T) {
	s := &stream{again: tone(700, time.Second)}
	loud := append(make([]byte, 12), 0x00)
	loud[0], loud[12] = 0x80, 0x80 // the greatest sample of µ-law
	for range patience - 1 {
		s.next()
	}
	s.hear(loud)
	if s.next(); len(s.play) > 0 {
		t.Fatal("said again though something was heard")
	}
	for range patience {
		s.next()
	}
	if len(s.play) == 0 {
		t.Error("not said again after a silence")
	}
}
