package media

import (
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"strowger/media/mediatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

var loopback = netip.MustParseAddr("127.0.0.1")

func newTestEngine(t testing.TB, portable bool) *Engine {
	t.Helper()
	e, err := NewEngine(Config{BindIP: loopback, Portable: portable, Log: zerolog.Nop(), Shards: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// events collects what a session posts.
type events struct {
	mu   sync.Mutex
	list []Event
}

func (e *events) post(ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, ev)
}

func (e *events) of(typ EventType) (found []Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.list {
		if ev.Type == typ {
			found = append(found, ev)
		}
	}
	return found
}

func newPhone(t testing.TB, name, codec string, freq float64) *mediatest.Party {
	t.Helper()
	p, err := mediatest.NewParty(name, codec, freq)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// join makes a session for a party that offers.
func join(t testing.TB, e *Engine, p *mediatest.Party, opt Options) *Session {
	t.Helper()
	opt.ID = p.Name
	s, err := e.NewSession(opt)
	if err != nil {
		t.Fatal(err)
	}
	offerAnswer(t, s, p)
	return s
}

func offerAnswer(t testing.TB, s *Session, p *mediatest.Party) {
	t.Helper()
	if _, err := s.RemoteOffer(p.Offer()); err != nil {
		t.Fatal(err)
	}
	answer, err := s.Answer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.TakeAnswer(answer); err != nil {
		t.Fatal(err)
	}
}

// ring makes a session that offers to a party.
func ring(t testing.TB, e *Engine, p *mediatest.Party, opt Options) *Session {
	t.Helper()
	opt.ID = p.Name
	s, err := e.NewSession(opt)
	if err != nil {
		t.Fatal(err)
	}
	offer, err := s.Offer(nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := p.Answer(offer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.RemoteAnswer(answer); err != nil {
		t.Fatal(err)
	}
	return s
}

func mustBridge(t testing.TB, a, b *Session) {
	t.Helper()
	if err := a.Bridge(b); err != nil {
		t.Fatal(err)
	}
}

// TestBridgeHearsBothWays bridges every pair of codecs, on both transports: alice offers, bob is offered.
func TestBridgeHearsBothWays(t *testing.T) {
	for _, portable := range []bool{false, true} {
		for _, from := range Terminated() {
			for _, to := range Terminated() {
				t.Run(from+"-"+to, func(t *testing.T) {
					t.Parallel()
					e := newTestEngine(t, portable)
					alice, bob := newPhone(t, "alice", from, 600), newPhone(t, "bob", to, 1000)
					a, b := join(t, e, alice, Options{}), ring(t, e, bob, Options{})
					mustBridge(t, a, b)
					alice.Talk()
					bob.Talk()
					mustHear(t, alice, bob)
					mustHear(t, bob, alice)
				})
			}
		}
	}
}

func mustHear(t testing.TB, who, whom *mediatest.Party) {
	t.Helper()
	if !who.Hears(whom.Freq, patience) {
		t.Fatalf("%s (%s) does not hear %s (%s): %d packets", who.Name, who.Codec, whom.Name, whom.Codec, len(who.Packets()))
	}
	if mediatest.Hears(who.Heard(), who.Rate(), who.Freq) {
		t.Fatalf("%s hears itself", who.Name)
	}
}

// TestBridgeSRTP bridges each suite with plain RTP and with itself.
func TestBridgeSRTP(t *testing.T) {
	for _, s := range suites {
		for _, peer := range []string{"", s.name} {
			t.Run(s.name+"-"+peer, func(t *testing.T) {
				t.Parallel()
				e := newTestEngine(t, false)
				alice, bob := newPhone(t, "alice", "PCMA", 600), newPhone(t, "bob", "PCMA", 1000)
				if s.name == "AES_CM_128_HMAC_SHA1_32" {
					bob.Extra = "a=sendrecv\r\n"
				}
				alice.Suite, bob.Suite = s.name, peer
				opt := Options{}
				if peer != "" {
					opt.SRTP = Required
				}
				a, b := join(t, e, alice, Options{SRTP: Optional}), ring(t, e, bob, opt)
				mustBridge(t, a, b)
				alice.Talk()
				bob.Talk()
				mustHear(t, alice, bob)
				mustHear(t, bob, alice)
				if got := a.Stats().SRTP; got != "sdes" {
					t.Errorf("alice's SRTP is %q", got)
				}
			})
		}
	}
}

// TestOpusPasses forwards Opus where libopus is not installed, and refuses a bridge that would be silent.
func TestOpusPasses(t *testing.T) {
	e, err := NewEngine(Config{BindIP: loopback, Log: zerolog.Nop(), NoOpus: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	alice, bob, carol := newPhone(t, "alice", "opus", 600), newPhone(t, "bob", "opus", 1000), newPhone(t, "carol", "PCMU", 800)
	a, b, c := join(t, e, alice, Options{}), ring(t, e, bob, Options{}), join(t, e, carol, Options{})
	mustBridge(t, a, b)
	alice.Talk()
	want := "alice says 600 Hz"
	if !mediatest.Eventually(patience, func() bool {
		return slices.ContainsFunc(bob.Packets(), func(p mediatest.Packet) bool { return string(p.Payload) == want })
	}) {
		t.Fatal("bob did not get alice's packets")
	}
	if err := a.Bridge(c); err == nil {
		t.Error("a bridge between Opus and PCMU was made")
	}
	if err := a.Play(Sound{Tone: "beep"}); err == nil {
		t.Error("a tone is played to a party that has only Opus")
	}
}
