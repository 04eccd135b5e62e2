package call

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing/synctest"

	"strowger/store"
)

// phone is the far end of a leg and, for the call, the Leg itself: it logs what the call does to it.
type phone struct {
	w           *world
	name        string
	uas         bool // it called us
	unreachable bool // dialling it fails at once
	stubborn    bool // never confirms a hang-up

	mu      sync.Mutex
	post    Post
	req     DialRequest
	invited bool
	count   int // INVITEs so far
	log     []string
	before  []string // log of its call before this one
	sdp     string   // the last SDP that the call sent
	offer   string   // its INVITE's
	reason  Reason   // of the last hang-up or rejection
	final   bool     // a final response was sent to it
	over    bool
}

// respond notes a response to a caller, of which only one may be final.
func (p *phone) respond(code int, sdp []byte, r Reason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.final {
		p.w.t.Errorf("%s: %d after a final response", p.name, code)
	}
	p.final, p.over = code >= 200, code >= 300
	p.sdp, p.reason = string(sdp), r
	p.log = append(p.log, fmt.Sprint(code))
}

func (p *phone) note(sdp []byte, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, fmt.Sprintf(format, args...))
	if sdp != nil {
		p.sdp = string(sdp)
	}
}

// Leg.

func (p *phone) SIPCallID() string                   { return p.name + "@fake" }
func (p *phone) Remote() string                      { return p.name }
func (p *phone) Provisional(code int, sdp []byte)    { p.respond(code, sdp, Reason{}) }
func (p *phone) Answer(sdp []byte)                   { p.respond(200, sdp, Reason{}) }
func (p *phone) Reject(code int, _ string, r Reason) { p.respond(code, nil, r) }
func (p *phone) Reinvite(sdp []byte)                 { p.note(sdp, "reinvite") }
func (p *phone) AnswerReinvite(sdp []byte)           { p.note(sdp, "reinvite answered") }
func (p *phone) RejectReinvite(code int)             { p.note(nil, "reinvite %d", code) }
func (p *phone) Ack(sdp []byte)                      { p.note(sdp, "ack") }
func (p *phone) ReferProgress(code int, _ string)    { p.note(nil, "refer %d", code) }
func (p *phone) Refer(number string, with Leg) {
	if with != nil {
		number += " with " + with.Remote()
	}
	p.note(nil, "asked to transfer to %s", number)
}
func (p *phone) Show(to Party)              { p.note(nil, "shown %s", to.Number) }
func (p *phone) PickUp()                    { p.note(nil, "asked to pick up") }
func (p *phone) Info(_ string, body []byte) { p.note(nil, "info %s", strings.Fields(string(body))[0]) }

func (p *phone) Hangup(r Reason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.over, p.reason = true, r
	p.log = append(p.log, fmt.Sprintf("hangup %d", r.Cause))
	if !p.stubborn {
		p.post(LegEvent{Type: Ended})
	}
}

// What the party at the phone does.

// leaves: from now on its package sip does nothing more for the leg.
func (p *phone) leaves() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}

func (p *phone) does(e LegEvent) {
	synctest.Wait()
	p.post(e)
	synctest.Wait()
}

// rings checks that an INVITE came, and answers 180.
func (p *phone) rings() {
	p.w.t.Helper()
	synctest.Wait()
	if !p.invited || p.over {
		p.w.t.Fatalf("%s does not ring (invited %v, over %v)", p.name, p.invited, p.over)
	}
	p.does(LegEvent{Type: Progress, Code: 180})
}
func (p *phone) earlyMedia(sdp string) {
	p.does(LegEvent{Type: Progress, Code: 183, SDP: []byte(sdp)})
}
func (p *phone) answers(sdp ...string) {
	answer := p.req.SDP // takes everything that was offered
	if len(sdp) > 0 {
		answer = []byte(sdp[0])
	}
	p.does(LegEvent{Type: Answered, SDP: answer})
}
func (p *phone) refuses(code int) {
	p.leaves()
	p.does(LegEvent{Type: Failed, Code: code, Reason: Reason{"SIP", code, phrase(code)}})
}
func (p *phone) cancels() { p.leaves(); p.does(LegEvent{Type: Cancelled}) }
func (p *phone) acks(sdp ...string) {
	e := LegEvent{Type: Acked}
	if len(sdp) > 0 {
		e.SDP = []byte(sdp[0])
	}
	p.does(e)
}
func (p *phone) hangsUp()            { p.leaves(); p.does(LegEvent{Type: Ended}) }
func (p *phone) reoffers(sdp string) { p.does(LegEvent{Type: Reoffered, SDP: []byte(sdp)}) }
func (p *phone) refers(to string) {
	p.does(LegEvent{Type: Referred, Target: to, By: "<sip:" + p.name + ">"})
}

// attends is a REFER that names the dialog of another call in which the same party talks to someone.
func (p *phone) attends(other *phone) {
	p.does(LegEvent{Type: Referred, Target: "203", Replaces: other, By: "<sip:" + p.name + ">"})
}
func (p *phone) presses(digit byte) { p.does(LegEvent{Type: Digit, Digit: digit, Millis: 100}) }

// What the party sees and hears.

func (p *phone) saw(want ...string) {
	p.w.t.Helper()
	synctest.Wait()
	if !slices.Equal(p.log, want) {
		p.w.t.Errorf("%s saw %q, want %q", p.name, p.log, want)
	}
}

func (p *phone) silent() {
	p.w.t.Helper()
	synctest.Wait()
	if p.invited {
		p.w.t.Errorf("%s rings", p.name)
	}
}

// media is the session that the call has for this phone.
func (p *phone) media() *session {
	p.w.t.Helper()
	synctest.Wait()
	for _, s := range p.w.sessions {
		if p.uas && (s.first != "" && s.first == p.offer || s.offered != "" && s.offered == p.sdp) || !p.uas && strings.HasSuffix(string(p.req.SDP), s.mark()) {
			return s
		}
	}
	p.w.t.Fatalf("%s has no media", p.name)
	return nil
}

func (p *phone) talksTo(q *phone) {
	p.w.t.Helper()
	if a, b := p.media(), q.media(); a.bridged != b || b.bridged != a {
		p.w.t.Errorf("%s and %s do not hear each other", p.name, q.name)
	}
}

// hears a tone or file, "" = nothing of ours.
func (p *phone) hears(sound string) {
	p.w.t.Helper()
	if got := p.media().playing; got != sound {
		p.w.t.Errorf("%s hears %q, want %q", p.name, got, sound)
	}
}

// session is a fake MediaSession. Its SDP is "direction codec,codec #number".
type session struct {
	w       *world
	opt     MediaOptions
	number  int
	offered string // our last offer
	taken   string // the peer's last offer
	first   string // and its first
	remote  string // the peer's direction
	codecs  []string
	bridged *session
	playing string
	from    float64 // seconds into what is playing, where it began
	token   int     // of what is playing
	echo    bool
	record  *Recording
	digits  bool // the party takes telephone-event
	closed  bool
}

func (w *world) NewSession(o MediaOptions) (MediaSession, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.portless {
		return nil, errors.New("no port is free")
	}
	s := &session{w: w, opt: o, number: len(w.sessions), remote: "sendrecv", digits: true}
	w.sessions = append(w.sessions, s)
	return s, nil
}

func parseSDP(sdp string) (direction string, codecs []string, err error) {
	f := strings.Fields(sdp)
	if len(f) < 2 {
		return "", nil, errors.New("not SDP: " + sdp)
	}
	return f[0], strings.Split(f[1], ","), nil
}

func (s *session) mark() string { return fmt.Sprintf(" #%d", s.number) }

func (s *session) sdp(codecs []string) string {
	return "sendrecv " + strings.Join(codecs, ",") + s.mark()
}

func (s *session) Offer(codecs []string) ([]byte, error) {
	if codecs == nil {
		codecs = []string{"opus", "G722", "PCMU", "PCMA"}
	}
	s.offered = s.sdp(codecs)
	return []byte(s.offered), nil
}

func (s *session) RemoteOffer(sdp []byte) ([]string, error) {
	dir, codecs, err := parseSDP(string(sdp))
	if err != nil {
		return nil, err
	}
	s.taken, s.remote = string(sdp), dir
	if s.first == "" {
		s.first = s.taken
	}
	return codecs, nil
}

func (s *session) Answer(codecs []string) ([]byte, error) {
	_, had, err := parseSDP(s.taken)
	if err != nil {
		return nil, err
	}
	if codecs = both(codecs, had); len(codecs) == 0 {
		return nil, errors.New("nothing in common")
	}
	s.codecs = codecs
	return []byte(s.sdp(codecs)), nil
}

func (s *session) RemoteAnswer(sdp []byte) ([]string, error) {
	dir, codecs, err := parseSDP(string(sdp))
	if err != nil {
		return nil, err
	}
	_, had, _ := parseSDP(s.offered)
	if codecs = both(codecs, had); len(codecs) == 0 {
		return nil, errors.New("nothing in common")
	}
	s.remote, s.codecs = dir, codecs
	return codecs, nil
}
func (s *session) RemoteDirection() string { return s.remote }

func (s *session) Bridge(other MediaSession) error {
	s.w.unmix(s)
	if o, ok := other.(*session); ok {
		s.w.unmix(o)
	}
	if s.bridged != nil {
		s.bridged.bridged = nil
		s.bridged = nil
	}
	if other == nil {
		return nil
	}
	o := other.(*session)
	if s.closed || o.closed || o.bridged != nil {
		s.w.t.Errorf("bridge of session %d with %d: closed %v %v", s.number, o.number, s.closed, o.closed)
	}
	s.bridged, o.bridged = o, s
	return nil
}

func (s *session) Play(p Sound) error {
	if s.closed {
		s.w.t.Errorf("play on closed session %d", s.number)
	}
	s.playing, s.token, s.from = p.File+p.Tone, p.Token, p.From
	return nil
}
func (s *session) Stop() { s.playing = "" }

// played ends what is being played.
func (s *session) played() {
	s.playing = ""
	s.says(MediaEvent{Type: PlayEnded, Token: s.token})
}

func (s *session) Record(r Recording) error {
	s.record = &r
	return nil
}

func (s *session) StopRecording() {
	if s.record != nil {
		s.recorded(5, "stopped")
	}
}

// recorded completes the recording, in which something was said but for the silence that ended it.
func (s *session) recorded(seconds float64, why string) {
	speech := seconds
	if why == "silence" {
		speech -= messageSilence
	}
	s.recordedSpeech(seconds, speech, why)
}

func (s *session) recordedSpeech(seconds, speech float64, why string) {
	s.record = nil
	s.opt.Post(MediaEvent{Type: RecordEnded, Seconds: seconds, Speech: speech, Why: why})
}

func (s *session) Echo() error { s.echo = true; return nil }
func (s *session) SendDigit(d byte, _ int) bool {
	if s.digits {
		s.playing = "digit " + string(d)
	}
	return s.digits
}
func (s *session) SendTone(d byte, _ int) bool { s.playing = "tone " + string(d); return true }

func (s *session) Stats() store.MediaStat {
	st := store.MediaStat{In: store.StreamStat{Packets: 50}}
	if len(s.codecs) > 0 {
		st.Codec = s.codecs[0]
	}
	return st
}

func (s *session) Close() {
	if s.closed || s.record != nil {
		s.w.t.Errorf("session %d closed twice or while recording", s.number)
	}
	s.closed = true
	_ = s.Bridge(nil)
}

// says posts an event of this phone.
func (s *session) says(e MediaEvent) {
	synctest.Wait()
	s.opt.Post(e)
	synctest.Wait()
}
