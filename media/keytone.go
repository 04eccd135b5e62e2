package media

import (
	"math"
	"strings"
	"time"

	"strowger/media/codec"
)

// keyTones are keys in the sound (ITU-T Q.23), for parties without telephone-event. They take the place of what is said, as
// telephone-events do. The outStream's lock guards them.
type keyTones struct {
	format format
	ok     bool   // there is a codec that we can encode
	voice  *voice // nil until it is needed
	opus   *codec.OpusLibrary

	on        bool
	lead      int // frames of silence before
	left      int // frames
	low, high float64
	at        int // samples so far
	total     int
	frame     [listenerFrameMax]int16
	pkt       [headerLen + listenerFrameMax]byte
}

// The levels of the two tones: -11 and -9 dB of full scale, within what Q.24 asks receivers to take.
const (
	keyLow  = 9200
	keyHigh = 11600
	keyEdge = 5 // ms in which they come and go
	keyLead = 3 // frames of silence, after which a decoder that has heard another encoder is where ours is
)

// configure takes over what SDP agreed, and says whether the codec is the same as before.
func (k *keyTones) configure(a agreement, opus *codec.OpusLibrary) (same bool) {
	f, ok := a.codable()
	same = ok && k.ok && f.codec == k.format.codec
	if !same {
		k.voice = nil
	}
	k.format, k.ok, k.opus = f, ok, opus
	return same
}

func (k *keyTones) begin(p press) {
	i := strings.IndexByte(inbandNames, p.key)
	k.low, k.high = inbandTones[i/4], inbandTones[4+i%4]
	if k.voice == nil {
		k.voice = &voice{rate: k.format.codec.rate, opus: k.opus}
	}
	k.lead = 0
	if k.format.codec == codecG722 || k.format.codec == codecOpus {
		k.lead = keyLead
	}
	k.left = (p.millis + 19) / 20
	k.at, k.total = 0, k.left*k.format.codec.rate/50
}

// next is the next 20 ms, encoded behind room for a header.
func (k *keyTones) next() []byte {
	rate := k.format.codec.rate
	frame := k.frame[:rate/50]
	if k.lead > 0 {
		k.lead--
		clear(frame)
		n := len(k.voice.encode(k.format.codec, k.pkt[headerLen:], frame))
		return k.pkt[:headerLen+n]
	}
	edge := float64(rate * keyEdge / 1000)
	for i := range frame {
		t := 2 * math.Pi * float64(k.at) / float64(rate)
		shape := min(1, float64(k.at)/edge, float64(k.total-k.at)/edge)
		frame[i] = int16(shape * (keyLow*math.Sin(t*k.low) + keyHigh*math.Sin(t*k.high)))
		k.at++
	}
	k.left--
	n := len(k.voice.encode(k.format.codec, k.pkt[headerLen:], frame))
	return k.pkt[:headerLen+n]
}

// sendTone queues a key in the sound; false when it cannot be sent so.
func (o *outStream) sendTone(key byte, length time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := &o.keys
	if !o.open || !k.audio.ok || len(k.queue) >= keyQueue || strings.IndexByte(keyNames, key) < 0 {
		return false
	}
	length = min(max(length, keyToneMin), keyMax)
	k.queue = append(k.queue, press{key: key, millis: int(length.Milliseconds()), sound: true})
	return true
}

// keyToneMin is what phones do at the least, and twice what Q.24 asks for.
const keyToneMin = 120 * time.Millisecond

// tickTone sends 20 ms of a key in the sound, and says whether more will follow. Called with mu held.
func (o *outStream) tickTone(now time.Duration, first bool) bool {
	k := &o.keys
	o.emit(k.format.send, first, o.seq+1, k.ts, k.audio.next(), now)
	k.ts += k.format.codec.clock / 50
	if k.audio.left <= 0 {
		k.audio.on, k.sending, o.rejoin, k.pause = false, false, true, now+keyPause
	}
	return k.busy()
}

// SendTone presses a key in the sound, for a party without telephone-event: for so many milliseconds, 120 to 8000. False when
// nothing can be encoded for the party.
func (s *Session) SendTone(digit byte, millis int) bool {
	if !s.out.sendTone(digit, time.Duration(millis)*time.Millisecond) {
		return false
	}
	s.shard.activate(s)
	return true
}
