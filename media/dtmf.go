package media

import (
	"encoding/binary"
	"strings"
	"time"

	"strowger/media/codec"
)

// DTMF as telephone-event (RFC 4733). The payload is event, E bit and volume, and the duration so far in timestamp units;
// all packets of one event carry the timestamp of its start.

const (
	keyNames   = "0123456789*#ABCD" // by event code, RFC 4733 §3.2
	keyTimeout = 200 * time.Millisecond
	keyPause   = 60 * time.Millisecond // between two keys
	keyMin     = 40 * time.Millisecond // shorter ones are missed by receivers (ITU-T Q.24)
	keyMax     = 8 * time.Second       // the duration field has 16 bits, in 1/8000 s
	keyQueue   = 64
	keyHold    = 100 * time.Millisecond // without a sign of it, a key that is held down was released
)

// press is a key that was pressed and released.
type press struct {
	key    byte
	millis int
	sound  bool // to be sent as tones in the sound
}

// keyReceiver reports each key once: at its end packet, or when no packet of it has come for keyTimeout, or when the
// next one begins.
type keyReceiver struct {
	down   bool // an event is going on
	seen   bool // ts is valid
	ts     uint32
	code   uint8
	length uint32 // timestamp units
	base   uint32 // length of earlier segments of a long event (RFC 4733 §2.5.1.3)
	clock  uint32
	lastAt time.Duration
}

// take looks at one event packet. It returns the presses that ended: at most two, the previous one whose end was lost
// and this one.
func (k *keyReceiver) take(h header, payload []byte, clock uint32, now time.Duration) (ended [2]press) {
	if len(payload) < 4 || payload[0] >= uint8(len(keyNames)) || clock == 0 {
		return ended
	}
	code, end, length := payload[0], payload[1]&0x80 != 0, uint32(binary.BigEndian.Uint16(payload[2:]))
	fresh := !k.seen || h.ts != k.ts
	switch {
	case fresh && k.seen && int32(h.ts-k.ts) < 0 && now-k.lastAt < keyTimeout:
		return ended // a late packet of an earlier event
	case fresh && k.down && code == k.code && h.ts == k.ts+0xffff:
		k.base, k.ts = k.base+0xffff, h.ts // the next segment of a long event
	case fresh:
		if k.down {
			ended[0] = k.release()
		}
		k.down, k.seen, k.ts, k.code, k.base, k.length, k.clock = true, true, h.ts, code, 0, 0, clock
	case !k.down:
		return ended // a repetition of the end
	}
	k.lastAt = now
	k.length = max(k.length, k.base+length)
	if end {
		ended[1] = k.release()
	}
	return ended
}

// expire ends a key whose end packets were all lost.
func (k *keyReceiver) expire(now time.Duration) press {
	if !k.down || now-k.lastAt < keyTimeout {
		return press{}
	}
	return k.release()
}

func (k *keyReceiver) release() press {
	k.down = false
	return press{key: keyNames[k.code], millis: int(uint64(k.length) * 1000 / uint64(k.clock))}
}

// keySender plays keys into an outStream, one packet per tick of 20 ms. The outStream's lock guards it.
type keySender struct {
	formats []format
	queue   []press
	sending bool // audio makes way
	code    uint8
	format  format
	ts      uint32
	length  uint32 // so far
	target  uint32
	ends    int // end packets sent
	pause   time.Duration
	held    time.Duration // until when at least the party holds the key down whose length nobody knows yet; 0 = it is known

	audio keyTones // keys in the sound
}

func (k *keySender) configure(a agreement, opus *codec.OpusLibrary) {
	same := k.audio.configure(a, opus)
	k.formats = a.events
	sound := k.audio.on || len(k.queue) > 0 && k.queue[0].sound
	if sound && !same || !sound && len(a.events) == 0 { // it cannot be told in this way any more
		k.queue, k.sending, k.held, k.audio.on = nil, false, 0, false
	}
}

func (k *keySender) busy() bool { return k.sending || len(k.queue) > 0 }

// sendKey queues a key; false when the party has no telephone-event, the key is none, or too many wait.
func (o *outStream) sendKey(key byte, length time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := &o.keys
	if !o.open || len(k.formats) == 0 || len(k.queue) >= keyQueue || strings.IndexByte(keyNames, key) < 0 {
		return false
	}
	length = min(max(length, keyMin), keyMax)
	k.queue = append(k.queue, press{key: key, millis: int(length.Milliseconds())})
	return true
}

// holdKey presses a key that somebody holds down at the moment: until the last of these calls is keyHold ago, or releaseKey.
// False when the party has no telephone-event.
func (o *outStream) holdKey(key byte, now time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := &o.keys
	if !o.open || len(k.formats) == 0 {
		return false
	}
	if k.held == 0 {
		if k.busy() {
			return false
		}
		k.queue = append(k.queue, press{key: key, millis: int(keyMax.Milliseconds())})
		k.held = now + keyHold
		o.advanceKeys(now) // at once: every tone that still passes is heard twice
	}
	k.held = now + keyHold
	return true
}

// releaseKey ends the key that is held down.
func (o *outStream) releaseKey() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.keys.held != 0 {
		o.keys.held = 1
	}
}

// tickKeys sends the packet that is due, and says whether more will follow.
func (o *outStream) tickKeys(now time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.advanceKeys(now)
}

// advanceKeys is tickKeys with mu held.
func (o *outStream) advanceKeys(now time.Duration) bool {
	k := &o.keys
	if !o.open {
		k.sending, k.queue = false, nil
		return false
	}
	first := false
	if !k.sending {
		if len(k.queue) == 0 {
			return false
		}
		if now < k.pause {
			return true
		}
		o.beginKey(now)
		first = true
	}
	if k.audio.on {
		return o.tickTone(now, first)
	}
	if k.held != 0 && now > k.held && !first { // released: it was as long as it is
		k.target, k.held = min(max(k.length, k.format.codec.clock*uint32(keyMin/time.Millisecond)/1000), k.target), 0
	}
	if k.length < k.target {
		k.length = min(k.length+k.format.codec.clock/50, k.target)
	}
	end := k.length >= k.target && !first
	var pkt [headerLen + 4]byte
	pkt[headerLen], pkt[headerLen+1] = k.code, 10 // volume -10 dBm0
	if end {
		pkt[headerLen+1] |= 0x80
		k.ends++
	}
	binary.BigEndian.PutUint16(pkt[headerLen+2:], uint16(k.length))
	o.emit(k.format.send, first, o.seq+1, k.ts, pkt[:], now)
	if k.ends == 3 { // RFC 4733 §2.5.1.4: the end is sent three times
		k.sending, o.rejoin, k.pause = false, true, now+keyPause
	}
	return k.busy()
}

func (o *outStream) beginKey(now time.Duration) {
	k := &o.keys
	p := k.queue[0]
	k.queue = k.queue[1:]
	k.sending = true
	if k.audio.on = p.sound; p.sound {
		k.audio.begin(p)
		k.format = k.audio.format
		k.ts = o.tsNow(now, k.format.codec.clock)
		o.clock = k.format.codec.clock
		return
	}
	k.format = k.formats[0]
	for _, f := range k.formats {
		if f.codec.clock == o.clock {
			k.format = f
		}
	}
	clock := k.format.codec.clock
	k.ts = o.tsNow(now, clock)
	if clock != o.clock { // audio in another unit joins anew afterwards
		o.clock = clock
	}
	k.code = uint8(strings.IndexByte(keyNames, p.key))
	k.length, k.ends, k.target = 0, 0, uint32(p.millis)*clock/1000
	k.target = min(k.target, 0xffff)
}
