package media

import (
	"time"

	"strowger/media/codec"
)

// What goes wrong with a party's sound while the call goes on, and when it is right again.

// Trouble is something wrong with a party's sound.
type Trouble int

// The troubles, as seen from us: of what the party sends.
const (
	HighLoss   Trouble = iota // more than lossBad of its packets do not come
	HighJitter                // they come at very uneven times
	OneWay                    // we send to the party, it should send and does not
	SilentMic                 // it sends, and there is no sound in it
)

// Limits of the troubles: where they begin and where they end. Between the two, what was said last holds.
const (
	watchInterval = time.Second
	watchWindow   = 5 // intervals over which loss and jitter are judged
	watchPackets  = 50
	lossBad       = 0.05
	lossGood      = 0.02
	jitterBad     = 30.0 // ms; packets of 20 ms that stay in order come to 40 at the most
	jitterGood    = 20.0
	oneWayAfter   = 5  // intervals without a packet from a party that never sent one
	wentAfter     = 10 // and of one that did: it may suppress silence
	micAfter      = 20 // intervals
	micFloor      = 12 // RMS of full scale 32768: -69 dBFS, below the noise of any microphone
)

// sample is one packet of sound per second, kept to look into. Guarded by inStream.mu.
type sample struct {
	codec   *codecInfo
	n       int
	due     time.Duration
	payload [400]byte
}

// take keeps the packet if one is due.
func (s *sample) take(c *codecInfo, payload []byte, now time.Duration) {
	if now < s.due {
		return
	}
	s.due = now + watchInterval
	s.codec, s.n = c, copy(s.payload[:], payload)
	if s.n < len(payload) && c == codecOpus {
		s.n = 0 // cut off it is no Opus; as long as that it is no silence either
	}
}

// taster decodes samples for all sessions of a shard.
type taster struct {
	pcm   [maxFrame]int16
	opus  *codec.OpusDecoder
	g722  *codec.G722Decoder
	fresh codec.G722Decoder // as a decoder begins
	taken
}

// taken is a sample on its way from the stream.
type taken struct {
	codec   *codecInfo
	n       int
	payload [400]byte
}

func (t *taster) init() {
	t.g722 = codec.NewG722Decoder()
	t.fresh = *t.g722
	t.opus, _ = codec.NewOpusDecoder() // without one, Opus that is not tiny counts as sound
}

// tinyOpus is the longest Opus packet that has room for nothing but silence.
const tinyOpus = 8

// silent says whether there is no sound in the sample.
func (t *taster) silent() bool {
	payload := t.payload[:t.n]
	var pcm []int16
	switch {
	case t.n == 0:
		return false
	case t.codec == codecPCMU:
		pcm = codec.DecodeMu(t.pcm[:], payload)
	case t.codec == codecPCMA:
		pcm = codec.DecodeA(t.pcm[:], payload)
	case t.codec == codecG722:
		*t.g722 = t.fresh
		pcm = t.g722.Decode(t.pcm[:], payload)
		pcm = pcm[len(pcm)/4:] // the decoder starts in the middle of the sound
	case t.codec == codecOpus && t.n <= tinyOpus:
		return true
	case t.codec == codecOpus && t.opus != nil:
		t.opus.Decode(t.pcm[:], payload)
		pcm = t.opus.Decode(t.pcm[:], payload) // a second time: the first still sounds of another party
	}
	return len(pcm) > 0 && rms(pcm) < micFloor
}

// watch judges one session once a second. Only the shard's clock uses it.
type watch struct {
	next       time.Duration
	n          int // intervals of the window
	in         StreamStats
	outPackets uint64
	inPackets  uint64 // at the last interval
	deaf, mute int    // intervals in a row
	on         [SilentMic + 1]bool
	calm       [SilentMic + 1]int // windows in a row in which it was good
}

// watchOver looks at what came since the last time, and posts what begins and ends. What lasts is repeated with every window,
// for whoever began to listen meanwhile.
func (s *Session) watchOver(now time.Duration) {
	w := &s.watch
	if now < w.next {
		return
	}
	w.next = now + watchInterval
	t := &s.shard.taster
	s.in.mu.Lock()
	in, expected := s.in.figures(), s.in.waitSince != 0
	t.codec, t.n = s.in.sample.codec, copy(t.payload[:], s.in.sample.payload[:s.in.sample.n])
	fresh := s.in.sample.codec != nil
	s.in.sample.codec = nil
	s.in.mu.Unlock()
	sent := s.out.sent()

	got := in.Packets > w.inPackets
	s.watchPresence(got, expected && sent > w.outPackets, in.Packets > 0)
	w.inPackets, w.outPackets = in.Packets, sent
	if fresh {
		if t.silent() {
			w.mute++
		} else {
			w.mute = 0
		}
		s.judge(SilentMic, w.mute >= micAfter, w.mute == 0, 0)
	}
	if w.n++; w.n >= watchWindow {
		w.n = 0
		s.watchQuality(in)
		w.in = in
		for kind, on := range w.on {
			if on {
				s.post(Event{Type: Quality, Trouble: Trouble(kind), On: true})
			}
		}
	}
}

// watchPresence takes whether the party sent anything, and whether it owed something: it may talk, and we talk to it.
func (s *Session) watchPresence(got, owed, everHeard bool) {
	w := &s.watch
	switch {
	case got:
		w.deaf = 0
	case owed:
		w.deaf++
	default:
		return // the other side pauses; nothing is better for it
	}
	limit := oneWayAfter
	if everHeard {
		limit = wentAfter
	}
	s.judge(OneWay, w.deaf >= limit, w.deaf == 0, 0)
}

// watchQuality judges a window.
func (s *Session) watchQuality(in StreamStats) {
	w := &s.watch
	got, lost := float64(in.Packets-w.in.Packets), max(float64(in.Lost)-float64(w.in.Lost), 0)
	late := float64(in.Late - w.in.Late)
	if got+lost < watchPackets {
		return
	}
	loss := min((lost+late)/(got+lost), 1)
	s.settle(HighLoss, loss >= lossBad, loss < lossGood, 100*loss)
	s.settle(HighJitter, in.JitterMS >= jitterBad, in.JitterMS < jitterGood, in.JitterMS)
}

// settle is judge with an end that takes two good windows in a row.
func (s *Session) settle(kind Trouble, bad, good bool, value float64) {
	w := &s.watch
	if good {
		w.calm[kind]++
	} else {
		w.calm[kind] = 0
	}
	s.judge(kind, bad, w.calm[kind] >= 2, value)
}

// judge posts a trouble that begins or ends.
func (s *Session) judge(kind Trouble, bad, good bool, value float64) {
	w := &s.watch
	if bad == w.on[kind] || !bad && !good {
		return
	}
	w.on[kind] = bad
	s.post(Event{Type: Quality, Trouble: kind, On: bad, Value: value})
}
