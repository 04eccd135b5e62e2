package carrier

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"strowger/media/codec"
)

const (
	frame      = 160            // samples of 20 ms at 8 kHz
	keep       = 10 * 60 * 8000 // samples of received audio kept for a recording: ten minutes
	patience   = 200            // ticks of silence, 4 s, before the caller says it again
	audible    = 500            // samples above this are no silence
	echoDelay  = 10 * frame     // the echo keeps no more than this in hand
	eventTicks = 8              // an RFC 4733 digit lasts eight packets of 20 ms
	eventGap   = 4              // and is followed by four of nothing
)

// stream is the media of one call: G.711 every 20 ms, and RFC 4733 digits.
//
//	play (samples) ──▶ frame every 20 ms ─▶ socket
//	socket ─▶ heard (samples, digits) ── echo ──▶ socket
type stream struct {
	conn *net.UDPConn
	stop chan struct{}
	done sync.WaitGroup
	once sync.Once

	mu     sync.Mutex
	peer   offer
	play   []int16 // what is left to say
	loop   []int16 // said again and again when play is over; nil = silence
	echo   bool    // say again what is heard, one frame for one
	back   []int16 // what the echo has still to say
	again  []int16 // said whenever the other side was silent for a while; nil = nothing
	quiet  int     // ticks since something was heard or said again
	mute   bool
	digits []byte // keys still to send
	heard  []int16
	keys   []byte // digits received
	event  uint32 // timestamp of the last digit counted

	seq       uint16
	timestamp uint32
	ssrc      uint32
	tick      int // position inside the digit that is being sent
}

func newStream(ip netip.Addr) (*stream, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
	if err != nil {
		return nil, err
	}
	s := &stream{conn: conn, stop: make(chan struct{}), ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), timestamp: rand.Uint32()}
	s.done.Add(1)
	go s.receive()
	return s, nil
}

func (s *stream) local() netip.AddrPort { return s.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// connect sets the other side; the first time it starts sending.
func (s *stream) connect(o offer) {
	s.mu.Lock()
	first := !s.peer.addr.IsValid()
	s.peer = o
	s.mu.Unlock()
	if first {
		s.done.Add(1)
		go s.send()
	}
}

func (s *stream) say(samples []int16) { s.mu.Lock(); s.play = samples; s.mu.Unlock() }

// set changes the stream's fields under its lock.
func (s *stream) set(f func(*stream)) { s.mu.Lock(); f(s); s.mu.Unlock() }

func (s *stream) close() {
	s.once.Do(func() { close(s.stop); s.conn.Close() })
	s.done.Wait()
}

// received returns what was heard so far.
func (s *stream) received() (samples []int16, keys string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int16(nil), s.heard...), string(s.keys)
}

func (s *stream) send() {
	defer s.done.Done()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
			s.mu.Lock()
			packet, to := s.next(), s.peer.addr
			s.mu.Unlock()
			if packet != nil {
				s.conn.WriteToUDPAddrPort(packet, to)
			}
		}
	}
}

// next makes the packet of this tick: a digit, the voice, or comfort silence.
func (s *stream) next() []byte {
	s.timestamp += frame
	if s.mute {
		return nil
	}
	if len(s.digits) > 0 && s.peer.event != 0 {
		return s.nextDigit()
	}
	if len(s.play) == 0 && s.loop != nil {
		s.play = s.loop
	}
	if s.quiet++; len(s.play) == 0 && s.quiet >= patience {
		s.play, s.quiet = s.again, 0
	}
	from := &s.play
	if len(s.play) == 0 && s.echo {
		from = &s.back
	}
	var samples [frame]int16
	*from = (*from)[copy(samples[:], *from):]
	return s.packet(s.peer.payload, false, s.timestamp, s.encode(samples[:]))
}

func (s *stream) nextDigit() []byte {
	tick := s.tick
	s.tick++
	if tick >= eventTicks {
		if s.tick >= eventTicks+eventGap {
			s.tick, s.digits = 0, s.digits[1:]
		}
		return nil
	}
	payload := []byte{eventCode(s.digits[0]), 10, 0, 0}
	binary.BigEndian.PutUint16(payload[2:], uint16((tick+1)*frame))
	if tick >= eventTicks-3 { // the end, three times (RFC 4733 §2.5.1.4)
		payload[1] |= 0x80
		binary.BigEndian.PutUint16(payload[2:], uint16((eventTicks-2)*frame))
	}
	return s.packet(s.peer.event, tick == 0, s.timestamp-uint32(tick*frame), payload)
}

func (s *stream) packet(payload byte, marker bool, timestamp uint32, body []byte) []byte {
	b := make([]byte, 12, 12+len(body))
	b[0], b[1] = 0x80, payload
	if marker {
		b[1] |= 0x80
	}
	s.seq++
	binary.BigEndian.PutUint16(b[2:], s.seq)
	binary.BigEndian.PutUint32(b[4:], timestamp)
	binary.BigEndian.PutUint32(b[8:], s.ssrc)
	return append(b, body...)
}

func (s *stream) receive() {
	defer s.done.Done()
	buf := make([]byte, 1500)
	for {
		n, _, err := s.conn.ReadFromUDPAddrPort(buf)
		select {
		case <-s.stop:
			return
		default:
		}
		if err != nil || n < 12 || buf[0]>>6 != 2 {
			continue
		}
		s.mu.Lock()
		s.hear(buf[:n])
		s.mu.Unlock()
	}
}

// hear takes a packet.
func (s *stream) hear(b []byte) {
	payload, body := b[1]&0x7f, b[12:]
	switch {
	case payload == s.peer.event && payload != 0 && len(body) >= 4:
		ts := binary.BigEndian.Uint32(b[4:])
		if body[1]&0x80 != 0 && ts != s.event {
			s.event = ts
			s.keys = append(s.keys, eventDigit(body[0]))
		}
	case payload == 0 || payload == 8:
		samples := decode(payload, body)
		if slices.ContainsFunc(samples, func(v int16) bool { return v > audible }) {
			s.quiet = 0
		}
		if len(s.heard) < keep {
			s.heard = append(s.heard, samples...)
		}
		if s.echo && len(s.play) == 0 && len(s.back) < echoDelay {
			s.back = append(s.back, samples...)
		}
	}
}

func (s *stream) encode(samples []int16) []byte {
	out := make([]byte, len(samples))
	if s.peer.payload == 8 {
		return codec.EncodeA(out, samples)
	}
	return codec.EncodeMu(out, samples)
}

func decode(payload byte, body []byte) []int16 {
	out := make([]int16, len(body))
	if payload == 8 {
		return codec.DecodeA(out, body)
	}
	return codec.DecodeMu(out, body)
}

const eventKeys = "0123456789*#ABCD" // RFC 4733 §3.2

func eventCode(key byte) byte {
	for i := range len(eventKeys) {
		if eventKeys[i] == key {
			return byte(i)
		}
	}
	return 0
}

func eventDigit(code byte) byte {
	if int(code) < len(eventKeys) {
		return eventKeys[code]
	}
	return '?'
}
