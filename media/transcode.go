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
		var err error
		if v.opus != nil {
			v.opusDec, err = v.opus.NewDecoder()
		} else {
			v.opusDec, err = codec.NewOpusDecoder()
		}
		if err != nil {
			return nil
		}
	}
	return v.opusDec.Decode(v.a[:maxFrame], payload)
}

func (v *voice) encodeOpus(payload []byte, samples []int16) []byte {
	if v.opusEnc == nil {
		if v.opus == nil {
			return nil
		}
		enc, err := v.opus.NewEncoder(v.opus.Settings)
		if err != nil {
			return nil
		}
		v.opusEnc = enc
	}
	payload = v.opusEnc.Encode(payload, samples)
	if v.opus.Settings.DTX && len(payload) <= 2 {
		return nil // nothing is said: RFC 6716 §2.1.9
	}
	return payload
}

// adopt takes over the state in which another one's encoders are. Both have the same rate.
func (v *voice) adopt(from *voice) {
	if from.enc != nil {
		if v.enc == nil {
			v.enc = codec.NewG722Encoder()
		}
		*v.enc = *from.enc
	}
	if from.opusEnc != nil {
		if v.opusEnc == nil {
			v.opusEnc, _ = v.opus.NewEncoder(v.opus.Settings)
		}
		if v.opusEnc != nil {
			v.opusEnc.Copy(from.opusEnc)
		}
	}
	v.up, v.down = from.up, from.down
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

// Redundant implements playout.Repairer.
func (v *voice) Redundant(kind uint8, payload []byte) bool {
	return v.opus != nil && allCodecs[kind] == codecOpus && codec.OpusRedundant(payload)
}

// Repair implements playout.Repairer.
func (v *voice) Repair(kind uint8, payload []byte) []int16 {
	if allCodecs[kind] != codecOpus || v.opusDec == nil {
		return nil
	}
	return v.convert(v.b[:], v.opusDec.Repair(v.a[:maxFrame], payload), codecOpus.rate, v.rate)
}

// Continue implements playout.Continuer: libopus conceals what it misses.
func (v *voice) Continue(kind uint8, n int) []int16 {
	if allCodecs[kind] != codecOpus || v.opusDec == nil {
		return nil
	}
	return v.convert(v.b[:], v.opusDec.Continue(v.a[:n*codecOpus.rate/v.rate]), codecOpus.rate, v.rate)
}

// playoutPacket is a packet as a playout.Buffer of rate Hz wants it.
func playoutPacket(h header, c *codecInfo, payload []byte, rate int) playout.Packet {
	if c == codecNoise {
		return playout.Packet{Noise: true, SSRC: h.ssrc, Seq: h.seq, TS: h.ts, Clock: c.clock, Payload: payload}
	}
	return playout.Packet{
		Kind: uint8(slices.Index(allCodecs, c)), SSRC: h.ssrc, Seq: h.seq, TS: h.ts, Clock: c.clock,
		Samples: c.samples(payload, rate), Payload: payload,
	}
}

// transcoder says in one codec what a party says in others. What comes out is a stream of its own, paced by the shard's
// clock, with nothing sent while the party sends nothing.
type transcoder struct {
	to  *codecInfo
	tap *tap

	mu     sync.Mutex    // taken before outStream.mu
	active bool          // to be ticked
	ticked time.Duration // when it was last; 0 = not begun
	idle   time.Duration // for how long nothing was heard

	out   voice
	h     header
	frame [maxFrame]int16
	have  int // samples in frame
	heard bool
	pkt   [headerLen + maxFrame]byte
}

// noiseLevel is the comfort noise that we ask for, in -dBov: that of a quiet room.
const noiseLevel = 68

// transcoderRest is after how much silence of the party the transcoder sleeps.
const transcoderRest = 500 * time.Millisecond

func newTranscoder(to *codecInfo, opus *codec.OpusLibrary, tap *tap) *transcoder {
	return &transcoder{to: to, tap: tap, out: voice{rate: tap.rate(), opus: opus}}
}

// wake says that a packet came that has to be transcoded, and whether ticks have to be begun for it.
func (t *transcoder) wake() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.active
	t.active = true
	return !was
}

// hush stops: the party has gone over to a codec that needs no transcoder.
func (t *transcoder) hush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.active {
		t.rest()
	}
}

func (t *transcoder) rest() {
	t.active, t.ticked, t.idle, t.have, t.heard = false, 0, 0, 0, false
	t.tap.begun = false
	t.h.ssrc++ // the stream goes on as with a new source: its timestamps tell how long this was
}

// tick sends what is due to where the hop leads, in packets of so many milliseconds; false when it may sleep.
func (t *transcoder) tick(to *hop, ptime int, now time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ticked != 0 && now-t.ticked > maxCatchUp { // it was not ticked for a while
		active := t.active
		t.rest()
		t.active = active
	}
	t.ticked = now
	rate := t.tap.rate()
	length := samplesIn(t.to.frame(ptime), rate)
	for t.active {
		kind, ok := t.tap.read(t.frame[t.have:t.have+rate/50], now)
		if !ok {
			break
		}
		t.have += rate / 50
		t.heard = t.heard || kind != playout.Idle
		at := 0
		for ; t.have-at >= length; at += length {
			t.send(to, t.frame[at:at+length], now)
		}
		t.have = copy(t.frame[:], t.frame[at:t.have])
		if t.idle >= transcoderRest {
			t.rest()
		}
	}
	return t.active
}

func (t *transcoder) send(to *hop, frame []int16, now time.Duration) {
	rate := t.tap.rate()
	if t.heard {
		payload := t.out.encode(t.to, t.pkt[headerLen:], frame)
		t.h.start, t.h.end, t.h.marker = headerLen, headerLen+len(payload), t.idle > 0
		if len(payload) > 0 {
			t.h.seq++
			to.out.relay(to.src, t.h, to.pt, to.clock, t.pkt[:], now)
		}
		t.idle = 0
	} else {
		if t.idle == 0 && to.noise != 0 && t.h.seq > 0 { // the party has fallen silent
			t.pkt[headerLen] = noiseLevel
			t.h.start, t.h.end, t.h.marker = headerLen, headerLen+1, false
			t.h.seq++
			to.out.relay(to.src, t.h, to.noise, to.clock, t.pkt[:], now)
		}
		t.idle += time.Duration(len(frame)) * time.Second / time.Duration(rate)
	}
	t.heard = false
	t.h.ts += uint32(len(frame) * int(t.to.clock) / rate)
}
