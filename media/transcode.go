package media

import (
	"slices"
	"sync"
	"time"

	"strowger/media/codec"
	"strowger/media/playout"
)

// maxFrame is the most samples in one packet that is decoded here: 120 ms at 16 kHz. Longer packets are cut.
const maxFrame = 16 * 120

// voice decodes and encodes one direction at a fixed sampling rate, with the states and buffers that it takes. It is used
// by one goroutine at a time.
type voice struct {
	rate int                // of the samples outside: 8000 or 16000
	opus *codec.OpusLibrary // nil: Opus cannot be encoded
	dec  *codec.G722Decoder
	enc  *codec.G722Encoder

	opusDec *codec.OpusDecoder
	opusEnc *codec.OpusEncoder

	up   codec.Upsampler
	down codec.Downsampler
	a, b [2 * maxFrame]int16
}

// decode turns a payload into samples at v.rate; they stay valid until the next call.
func (v *voice) decode(c *codecInfo, payload []byte) []int16 {
	if limit := maxFrame * int(c.clock) / 16000; c != codecOpus && len(payload) > limit { // one octet per unit of the RTP clock
		payload = payload[:limit]
	}
	var out []int16
	switch c {
	case codecPCMU:
		out = codec.DecodeMu(v.a[:], payload)
	case codecPCMA:
		out = codec.DecodeA(v.a[:], payload)
	case codecG722:
		if v.dec == nil {
			v.dec = codec.NewG722Decoder()
		}
		out = v.dec.Decode(v.a[:], payload)
	case codecOpus:
		out = v.decodeOpus(payload)
	default:
		return nil
	}
	return v.convert(v.b[:], out, c.rate, v.rate)
}

// encode turns samples at v.rate into a payload of codec c.
func (v *voice) encode(c *codecInfo, payload []byte, samples []int16) []byte {
	samples = v.convert(v.a[:], samples, v.rate, c.rate)
	switch c {
	case codecPCMU:
		return codec.EncodeMu(payload, samples)
	case codecPCMA:
		return codec.EncodeA(payload, samples)
	case codecG722:
		if v.enc == nil {
			v.enc = codec.NewG722Encoder()
		}
		return v.enc.Encode(payload, samples)
	case codecOpus:
		return v.encodeOpus(payload, samples)
	}
	return nil
}

// decodeOpus makes nothing of packets that are none: the jitter buffer conceals them.
func (v *voice) decodeOpus(payload []byte) []int16 {
	if v.opusDec == nil {
		dec, err := codec.NewOpusDecoder()
		if err != nil {
			return nil
		}
		v.opusDec = dec
	}
	return v.opusDec.Decode(v.a[:maxFrame], payload)
}

func (v *voice) encodeOpus(payload []byte, samples []int16) []byte {
	if v.opusEnc == nil {
		if v.opus == nil {
			return nil
		}
		enc, err := v.opus.NewEncoder()
		if err != nil {
			return nil
		}
		v.opusEnc = enc
	}
	return v.opusEnc.Encode(payload, samples)
}

func (v *voice) convert(buf, samples []int16, from, to int) []int16 {
	switch {
	case from < to:
		return v.up.Convert(buf, samples)
	case from > to:
		return v.down.Convert(buf, samples)
	}
	return samples
}

// Decode implements playout.Decoder: kind is the codec's place in allCodecs.
func (v *voice) Decode(kind uint8, payload []byte) []int16 { return v.decode(allCodecs[kind], payload) }

// playoutPacket is a packet as a playout.Buffer of rate Hz wants it.
func playoutPacket(h header, c *codecInfo, payload []byte, rate int) playout.Packet {
	return playout.Packet{
		Kind: uint8(slices.Index(allCodecs, c)), SSRC: h.ssrc, Seq: h.seq, TS: h.ts, Clock: c.clock,
		Samples: c.samples(payload, rate), Payload: payload,
	}
}

// transcoder says in one codec what a party says in others. Packets are put in order and lost ones concealed on the way
// (package playout); what comes out is a stream of its own, paced by the shard's clock, with nothing sent while the party
// sends nothing.
type transcoder struct {
	to   *codecInfo
	rate int

	mu     sync.Mutex // taken before outStream.mu
	in     voice
	buffer *playout.Buffer
	active bool          // to be ticked
	next   time.Duration // when the next frame is due; 0 = not begun
	idle   time.Duration // for how long nothing was heard

	out   voice
	h     header
	frame [maxFrame]int16
	pkt   [headerLen + maxFrame]byte
}

// transcoderRest is after how much silence of the party the transcoder sleeps.
const transcoderRest = 500 * time.Millisecond

func newTranscoder(to *codecInfo, opus *codec.OpusLibrary) *transcoder {
	t := &transcoder{to: to, rate: to.rate}
	t.out.opus = opus
	t.in.rate, t.out.rate = t.rate, t.rate
	t.buffer = playout.New(t.rate, &t.in, 0)
	return t
}

// take keeps a packet for the next ticks, and says whether they have to be begun.
func (t *transcoder) take(h header, c *codecInfo, payload []byte, now time.Duration) (wake bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buffer.Push(playoutPacket(h, c, payload, t.rate), now)
	wake = !t.active
	t.active = true
	return wake
}

// hush forgets what waits: the party has gone over to a codec that needs no transcoder.
func (t *transcoder) hush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.active {
		t.rest()
	}
}

func (t *transcoder) rest() {
	t.active, t.next, t.idle = false, 0, 0
	t.h.ssrc++ // the stream goes on as with a new source: its timestamps tell how long this was
	t.buffer.Reset()
}

// tick sends what is due to where the hop leads, in packets of so many milliseconds; false when it may sleep.
func (t *transcoder) tick(to *hop, ptime int, now time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	length := t.to.frame(ptime)
	if t.next != 0 && now-t.next > maxCatchUp { // it was not ticked for a while
		active := t.active
		t.rest()
		t.active = active
	}
	if t.next == 0 {
		t.next = now
	}
	for t.active && t.next <= now {
		t.send(to, t.frame[:samplesIn(length, t.rate)], now)
		t.next += length
		if t.idle >= transcoderRest {
			t.rest()
		}
	}
	return t.active
}

func (t *transcoder) send(to *hop, frame []int16, now time.Duration) {
	heard := t.buffer.Pull(frame, t.next) != playout.Idle
	if heard {
		payload := t.out.encode(t.to, t.pkt[headerLen:], frame)
		t.h.start, t.h.end, t.h.marker = headerLen, headerLen+len(payload), t.idle > 0
		t.h.seq++
		to.out.relay(to.src, t.h, to.pt, to.clock, t.pkt[:], now)
		t.idle = 0
	} else {
		t.idle += time.Duration(len(frame)) * time.Second / time.Duration(t.rate)
	}
	t.h.ts += uint32(len(frame) * int(t.to.clock) / t.rate)
}
