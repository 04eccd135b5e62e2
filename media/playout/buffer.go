package playout

import "time"

// Packet is one RTP packet with sound.
type Packet struct {
	Kind    uint8 // what the Decoder tells codecs apart by
	SSRC    uint32
	Seq     uint16
	TS      uint32
	Clock   uint32 // of TS, Hz
	Samples int    // how many its payload decodes to
	Noise   bool   // comfort noise (RFC 3389) until the next packet; Kind and Samples mean nothing
	Payload []byte // copied
}

// Decoder turns payloads, in order, into samples at the Buffer's rate. They stay valid until the next call.
type Decoder interface {
	Decode(kind uint8, payload []byte) []int16
}

// Repairer is a Decoder whose packets may tell something of the packet before them (forward error correction). While
// packets are lost, the Buffer waits for one packet more, so that it is there when it is needed.
type Repairer interface {
	// Redundant says whether the packet does.
	Redundant(kind uint8, payload []byte) bool
	// Repair makes the samples just before the packet, as many as it has itself; nil = it cannot.
	Repair(kind uint8, payload []byte) []int16
}

// Continuer is a Decoder some of whose codecs have a concealment of their own, which knows more than samples tell.
type Continuer interface {
	// Continue makes n samples, 10 ms, that follow what was decoded last; nil = this codec has none.
	Continue(kind uint8, n int) []int16
}

// Kind says what a frame is made of.
type Kind int

// The kinds of frames.
const (
	Idle      Kind = iota // silence: the party has not begun, or has sent nothing for longer than can be concealed
	Received              // what the party said
	Concealed             // made up, in part at least
)

// Stats counts since the beginning.
type Stats struct {
	Played    uint64 // samples
	Concealed uint64 // samples of these that were made up for packets that did not come in time
	Late      uint64 // packets that came when their place had been played
	Stretched uint64 // samples put in to gain delay
	Cut       uint64 // samples taken out to lose it
	Skipped   uint64 // samples thrown away, because there were too many
	Repaired  uint64 // samples that the packet after a lost one told
	Restarts  uint64 // new sources, and jumps of their timestamps
}

// Plus adds other counts.
func (s Stats) Plus(o Stats) Stats {
	s.Played += o.Played
	s.Concealed += o.Concealed
	s.Late += o.Late
	s.Stretched += o.Stretched
	s.Cut += o.Cut
	s.Skipped += o.Skipped
	s.Repaired += o.Repaired
	s.Restarts += o.Restarts
	return s
}

const slots = 64 // packets that can wait: 1.3 s of 20 ms

// Buffer is an adaptive jitter buffer for one party. It is not safe for concurrent use.
type Buffer struct {
	rate int
	dec  Decoder
	min  int // least delay, samples

	// The source, and how its timestamps become places in one timeline, in samples.
	ssrc, clock uint32
	known       bool
	ts          uint32
	place       int64 // of ts
	length      int   // samples of the last packet
	started     bool
	startAt     int64

	queue [slots]slot // by place
	count int

	pcm     []int16 // decoded and not played
	made    int     // how many at the end of pcm are made up
	tail    int64   // place of the end of pcm
	starved int     // samples before tail that were made up because nothing was there
	conceal *Concealer

	goOn     Continuer // nil: the decoder is none
	lastKind uint8     // of the packet that was decoded last
	spare    []int16   // of what goOn made, and nobody wanted yet

	repair  Repairer // nil: the decoder is none
	lastSeq uint16   // of the packet that was decoded last
	loss    float32  // share of packets that were lost of late
	extra   int      // samples of delay for the sake of repair

	noise noise

	jitter jitter
	scale  timeScale
	stats  Stats
}

type slot struct {
	place   int64
	samples int
	kind    uint8
	seq     uint16
	cut     bool // the first of another source
	tried   bool // to repair what was before it
	noise   bool
	payload []byte
}

// New makes a buffer that gives samples at rate Hz (8000 or 16000) and adds at least so much delay: 0 where somebody
// waits for an answer, more where nobody does.
func New(rate int, dec Decoder, least time.Duration) *Buffer {
	repair, _ := dec.(Repairer)
	goOn, _ := dec.(Continuer)
	return &Buffer{
		repair: repair, goOn: goOn, spare: make([]int16, 0, rate/100), rate: rate, dec: dec, min: int(least * time.Duration(rate) / time.Second),
		pcm: make([]int16, 0, rate/2), conceal: NewConcealer(rate),
	}
}

// SetLeast changes how much delay is added at least. What is being said is stretched, or cut, by and by.
func (b *Buffer) SetLeast(d time.Duration) { b.min = int(d * time.Duration(b.rate) / time.Second) }

// Reset forgets what waits and what the network is like. The next packet begins anew, without a click.
func (b *Buffer) Reset() {
	for b.count > 0 {
		b.drop()
	}
	b.pcm, b.made, b.starved = b.pcm[:0], 0, 0
	b.spare = b.spare[:0]
	b.known, b.started = false, false
	b.loss, b.extra, b.noise.on = 0, 0, false
	b.jitter.reset()
	b.scale.reset()
}

// Stats are the counts up to now.
func (b *Buffer) Stats() Stats { return b.stats }

func (b *Buffer) samples(now time.Duration) int64 {
	return int64(now/time.Microsecond) * int64(b.rate) / 1e6
}

// Push takes a packet that arrived now.
func (b *Buffer) Push(p Packet, now time.Duration) {
	if p.Noise {
		p.Samples = 0
	}
	if p.Samples <= 0 && !p.Noise || p.Clock == 0 {
		return
	}
	at := b.samples(now)
	place, fresh := b.placeOf(p), false
	if p.SSRC != b.ssrc || p.Clock != b.clock || !b.known || b.strayed(at-place) {
		place, fresh = b.begin(p, at), true
	}
	if ahead := int32(p.TS - b.ts); ahead > 0 {
		b.ts, b.place = p.TS, place
	}
	if !p.Noise {
		b.length = p.Samples
	}
	b.jitter.add(at - place)
	if b.started && place < b.tail && !b.comeBack(p, place) {
		b.stats.Late++
		return
	}
	b.insert(p, place, fresh)
}

// placeOf maps a timestamp of the present source.
func (b *Buffer) placeOf(p Packet) int64 {
	if b.clock == 0 {
		return 0
	}
	return b.place + int64(int32(p.TS-b.ts))*int64(b.rate)/int64(b.clock)
}

// strayed says that timestamps lead so far from the clock on the wall that the source must have begun anew.
func (b *Buffer) strayed(transit int64) bool {
	d := transit - b.jitter.base
	if d < 0 {
		return -d > int64(b.rate)/4
	}
	if b.starved > b.rate/4 { // it paused, and its timestamps with it
		return d > int64(b.rate)/4
	}
	return d > int64(b.rate)
}

// begin places the first packet of a source behind what waits.
func (b *Buffer) begin(p Packet, at int64) int64 {
	if b.known {
		b.stats.Restarts++
	}
	place := b.tail
	if b.count > 0 {
		last := &b.queue[b.count-1]
		place = max(place, last.place+int64(last.samples))
	}
	if b.starved > b.rate/10 {
		b.started = false
	}
	if !b.started {
		b.startAt = at + int64(b.min)
	}
	b.known, b.ssrc, b.clock, b.ts, b.place = true, p.SSRC, p.Clock, p.TS, place
	b.jitter.reset()
	b.scale.reset()
	return place
}

// comeBack lets a packet that missed its place be played all the same when nothing else was played instead: the delay
// grows by what it was late.
func (b *Buffer) comeBack(p Packet, place int64) bool {
	late := int(b.tail - place)
	if b.count > 0 || late > b.starved {
		return false
	}
	b.tail = place
	b.starved = 0
	return true
}

// insert keeps the queue in order. A packet that is there already is not taken again; when there is no room, the oldest
// makes way.
func (b *Buffer) insert(p Packet, place int64, fresh bool) {
	if b.count == slots {
		b.drop()
	}
	at := b.count
	for at > 0 && b.queue[at-1].place >= place {
		at--
	}
	if at < b.count && b.queue[at].place == place {
		return
	}
	free := b.queue[b.count].payload
	copy(b.queue[at+1:b.count+1], b.queue[at:b.count])
	b.queue[at] = slot{place: place, samples: p.Samples, kind: p.Kind, seq: p.Seq, cut: fresh, noise: p.Noise, payload: append(free[:0], p.Payload...)}
	b.count++
}

// drop takes the oldest packet out; its memory goes to the end of the queue.
func (b *Buffer) drop() {
	payload := b.queue[0].payload
	copy(b.queue[:b.count-1], b.queue[1:b.count])
	b.count--
	b.queue[b.count] = slot{payload: payload}
}

// Said is when the first sample of the frame that is due next, at now, came from the party, or would have come as quickly
// as the quickest packets; now, when nothing has come yet.
func (b *Buffer) Said(now time.Duration) time.Duration {
	if !b.started || b.jitter.n == 0 {
		return now
	}
	at := b.tail - int64(len(b.pcm)) + b.jitter.base
	return time.Duration(at*1e6/int64(b.rate)) * time.Microsecond
}
