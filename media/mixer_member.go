package media

import (
	"sync/atomic"
	"time"

	"strowger/media/playout"
)

// member is a session in a mixer.
type member struct {
	num   uint32 // names the mix as a source of packets
	s     *Session
	mixer *Mixer
	tap   *tap
	quiet bool
	id    atomic.Int64 // names it in events
	muted atomic.Bool
	gone  atomic.Bool // it left, and is to be faded out
	to    atomic.Pointer[target]

	// The goroutine's.
	level  leveler
	heard  [listenerFrameMax]int16
	said   [listenerFrameMax]float32 // what it adds to the mix
	adds   bool
	fresh  bool    // nothing was sent to it yet
	own    *mixOut // its own mix
	shared *mixOut // or that of those who say nothing: where its packets come from now; nil: own
	alone  int     // frames for which it keeps its own, although it says nothing
	h      header  // of what is sent to it
	aim    *target // of own
}

// leave stops listening: packets are kept for nobody any more. Called with topology held.
func (mem *member) leave() {
	mem.s.unlisten(mem.tap)
	mem.s.rebuild()
}

// target is what a member is sent.
type target struct {
	format format
	ptime  int
}

// aloneFrames is how long a member that stopped talking keeps its own encoder, so that it has come to the same state as
// that of the others when it gives it up.
const aloneFrames = 50

func newMember(m *Mixer, s *Session, o MemberOptions) *member {
	mem := &member{num: m.engine.newSource(), s: s, mixer: m, tap: s.listenTo(true).follow(), quiet: o.Quiet, fresh: true, alone: aloneFrames}
	mem.id.Store(int64(o.Member))
	mem.muted.Store(o.Muted)
	mem.level = newLeveler(mem.tap.rate())
	return mem
}

// agreed takes over what SDP says of the way to the party. Called with topology held.
func (mem *member) agreed(a agreement) {
	t := &target{ptime: a.ptime}
	var ok bool
	if t.format, ok = a.best(); !ok {
		t = nil
	}
	if old := mem.to.Load(); old == nil || t == nil || *old != *t {
		mem.to.Store(t)
	}
}

// listen takes the frame that is due.
func (mem *member) listen(now time.Duration) {
	kind, ok := mem.tap.read(mem.heard[:], now)
	mem.level.rate = mem.tap.rate()
	n := mem.level.rate / 50
	mem.adds = mem.level.take(mem.said[:n], mem.heard[:n], ok && kind != playout.Idle, !mem.muted.Load() && !mem.gone.Load())
}

// events posts when it begins and ends to talk.
func (mem *member) events() {
	typ := Quiet
	switch mem.level.event() {
	case began:
		typ = Speaking
	case ended:
	default:
		return
	}
	mem.mixer.post(MixerEvent{Type: typ, Member: int(mem.id.Load())})
}

func (m *Mixer) post(e MixerEvent) {
	if m.opt.OnEvent != nil {
		m.opt.OnEvent(e)
	}
}

// sendFrom sends the packets that an output made in this frame.
func (mem *member) sendFrom(o *mixOut, now time.Duration) {
	t := mem.aim
	for i := range o.made {
		p := &o.packets[i]
		mem.h.start, mem.h.end, mem.h.marker = headerLen, headerLen+p.n, false
		if p.n > 0 {
			mem.s.out.relay(mem.num, mem.h, t.format.send, t.format.codec.clock, p.b[:], now)
			mem.h.seq++
		}
		mem.h.ts += uint32(o.length * int(t.format.codec.clock) / o.rate)
	}
}
