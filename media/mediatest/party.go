package mediatest

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/srtp/v3"

	"strowger/media/codec"
)

// Party is one end of a call: it says its tone in packets of 20 ms and keeps what it receives. Make one with NewParty,
// exchange SDP (Offer and TakeAnswer, or Answer), then Talk.
type Party struct {
	Name    string
	Codec   string         // PCMU, PCMA, G722, or opus (packets with text instead of sound)
	Freq    float64        // its tone, Hz
	Suite   string         // SDES crypto suite, "" = plain RTP
	Claimed netip.AddrPort // address in its SDP, zero = the real one; another one plays a phone behind NAT
	Extra   string         // more SDP lines, for the audio section
	Proto   string         // default RTP/AVP, or RTP/SAVP with a Suite
	SSRC    uint32

	conn   *net.UDPConn
	txKey  []byte
	tx, rx *srtp.Context

	mu      sync.Mutex
	remote  netip.AddrPort
	sendPT  uint8
	eventPT uint8 // of the peer
	samples []int16
	packets []Packet
	keys    []Packet // telephone-event packets
	rtcp    [][]byte
	dec     *codec.G722Decoder
	seq     uint16
	ts      uint32

	stop chan struct{}
	wg   sync.WaitGroup
}

// Packet is one received RTP packet.
type Packet struct {
	PT      uint8
	Marker  bool
	Seq     uint16
	TS      uint32
	SSRC    uint32
	Payload []byte
	At      time.Time
}

// EventPT is the payload type of telephone-event in the SDP of a Party.
const EventPT = 101

var payloadTypes = map[string]uint8{"PCMU": 0, "PCMA": 8, "G722": 9, "opus": 96}

var suites = map[string]struct {
	profile   srtp.ProtectionProfile
	key, salt int
}{
	"AES_CM_128_HMAC_SHA1_80": {srtp.ProtectionProfileAes128CmHmacSha1_80, 16, 14},
	"AES_CM_128_HMAC_SHA1_32": {srtp.ProtectionProfileAes128CmHmacSha1_32, 16, 14},
	"AES_256_CM_HMAC_SHA1_80": {srtp.ProtectionProfileAes256CmHmacSha1_80, 32, 14},
	"AEAD_AES_128_GCM":        {srtp.ProtectionProfileAeadAes128Gcm, 16, 12},
	"AEAD_AES_256_GCM":        {srtp.ProtectionProfileAeadAes256Gcm, 32, 12},
}

// NewParty opens a socket on 127.0.0.1.
func NewParty(name, codecName string, freq float64) (*Party, error) {
	return NewPartyAt(netip.AddrFrom4([4]byte{127, 0, 0, 1}), name, codecName, freq)
}

// NewPartyAt opens a socket on that address.
func NewPartyAt(ip netip.Addr, name, codecName string, freq float64) (*Party, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
	if err != nil {
		return nil, err
	}
	p := &Party{Name: name, Codec: codecName, Freq: freq, SSRC: uint32(len(name))<<24 | uint32(freq), conn: conn,
		seq: 65500, ts: 1 << 31, stop: make(chan struct{}), dec: codec.NewG722Decoder()}
	p.wg.Go(p.receive)
	return p, nil
}

// Close ends it.
func (p *Party) Close() {
	close(p.stop)
	_ = p.conn.Close()
	p.wg.Wait()
}

// Addr is its real address.
func (p *Party) Addr() netip.AddrPort {
	a := p.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// Offer is its SDP.
func (p *Party) Offer() []byte { return p.sdp(1, payloadTypes[p.Codec], EventPT) }

func (p *Party) sdp(tag int, pt, eventPT uint8) []byte {
	addr := p.Claimed
	if !addr.IsValid() {
		addr = p.Addr()
	}
	proto := p.Proto
	if proto == "" {
		proto = "RTP/AVP"
		if p.Suite != "" {
			proto = "RTP/SAVP"
		}
	}
	clock, event := "8000", "8000"
	if p.Codec == "opus" {
		clock, event = "48000/2", "48000"
	}
	var b strings.Builder
	family := "IP4"
	if addr.Addr().Is6() {
		family = "IP6"
	}
	fmt.Fprintf(&b, "v=0\r\no=%s 1 1 IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\nm=audio %d %s %d %d\r\n",
		p.Name, family, addr.Addr(), family, addr.Addr(), addr.Port(), proto, pt, eventPT)
	fmt.Fprintf(&b, "a=rtpmap:%d %s/%s\r\na=rtpmap:%d telephone-event/%s\r\n", pt, p.Codec, clock, eventPT, event)
	if p.Suite != "" {
		s := suites[p.Suite]
		if p.txKey == nil {
			p.txKey = make([]byte, s.key+s.salt)
			for i := range p.txKey {
				p.txKey[i] = byte(i) ^ byte(p.Freq)
			}
			p.tx, _ = srtp.CreateContext(p.txKey[:s.key], p.txKey[s.key:], s.profile)
		}
		fmt.Fprintf(&b, "a=crypto:%d %s inline:%s\r\n", tag, p.Suite, base64.StdEncoding.EncodeToString(p.txKey))
	}
	return []byte(b.String() + p.Extra)
}

// Answer takes an offer and returns its answer.
func (p *Party) Answer(offer []byte) ([]byte, error) {
	tag, err := p.take(offer)
	if err != nil {
		return nil, err
	}
	return p.sdp(tag, p.sendPT, p.eventPT), nil
}

// TakeAnswer takes the answer to its offer.
func (p *Party) TakeAnswer(answer []byte) error {
	_, err := p.take(answer)
	return err
}

// take reads as much of an SDP as it needs.
func (p *Party) take(sdp []byte) (tag int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var addr netip.Addr
	port := 0
	p.sendPT, p.eventPT = 255, 0
	for line := range strings.Lines(string(sdp)) {
		f := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "c=") && len(f) == 3:
			addr, _ = netip.ParseAddr(f[2])
		case strings.HasPrefix(line, "m=audio"):
			port, _ = strconv.Atoi(f[1])
		case strings.HasPrefix(line, "a=rtpmap:") && len(f) == 2:
			pt, _ := strconv.Atoi(strings.TrimPrefix(f[0], "a=rtpmap:"))
			name, clock, _ := strings.Cut(f[1], "/")
			if strings.EqualFold(name, p.Codec) {
				p.sendPT = uint8(pt)
			}
			if name == "telephone-event" && (clock == "48000") == (p.Codec == "opus") {
				p.eventPT = uint8(pt)
			}
		case strings.HasPrefix(line, "a=crypto:") && len(f) >= 3 && f[1] == p.Suite:
			tag, _ = strconv.Atoi(strings.TrimPrefix(f[0], "a=crypto:"))
			key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(f[2], "inline:"))
			s := suites[p.Suite]
			if len(key) != s.key+s.salt {
				return 0, fmt.Errorf("key of %d octets", len(key))
			}
			if p.rx, err = srtp.CreateContext(key[:s.key], key[s.key:], s.profile); err != nil {
				return 0, err
			}
		}
	}
	if !addr.IsValid() || port == 0 || p.sendPT == 255 || p.Suite != "" && p.rx == nil {
		return 0, fmt.Errorf("party %s cannot use this SDP:\n%s", p.Name, sdp)
	}
	p.remote = netip.AddrPortFrom(addr, uint16(port))
	return tag, nil
}

// Remote is where it sends to.
func (p *Party) Remote() netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.remote
}

// Talk says its tone until Close.
func (p *Party) Talk() {
	p.wg.Go(func() {
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		say := p.voice()
		for {
			p.Send(p.sendPT, false, say())
			select {
			case <-ticker.C:
			case <-p.stop:
				return
			}
		}
	})
}

// voice makes the payloads of its tone, one after another.
func (p *Party) voice() func() []byte {
	n, rate := 0, p.Rate()
	enc := codec.NewG722Encoder()
	return func() []byte {
		size := rate / 50
		samples := Tone(p.Freq, rate, n+size)[n:]
		n = (n + size) % rate // whole frequencies repeat every second
		buf := make([]byte, size)
		switch p.Codec {
		case "PCMU":
			return codec.EncodeMu(buf, samples)
		case "PCMA":
			return codec.EncodeA(buf, samples)
		case "G722":
			return enc.Encode(buf, samples)
		}
		return fmt.Appendf(nil, "%s says %.0f Hz", p.Name, p.Freq)
	}
}

// Send sends one RTP packet of 20 ms.
func (p *Party) Send(pt uint8, marker bool, payload []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	clockStep := uint32(160)
	if p.Codec == "opus" {
		clockStep = 960
	}
	p.sendAs(pt, marker, p.ts, payload)
	p.ts += clockStep
}

func (p *Party) sendAs(pt uint8, marker bool, ts uint32, payload []byte) {
	b := []byte{0x80, pt, 0, 0}
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], p.seq)
	b = binary.BigEndian.AppendUint32(b, ts)
	b = binary.BigEndian.AppendUint32(b, p.SSRC)
	b = append(b, payload...)
	p.seq++
	if p.tx != nil {
		var err error
		if b, err = p.tx.EncryptRTP(nil, b, nil); err != nil {
			return
		}
	}
	_, _ = p.conn.WriteToUDPAddrPort(b, p.remote)
}

// SendRaw sends a datagram as it is.
func (p *Party) SendRaw(b []byte, to netip.AddrPort) { _, _ = p.conn.WriteToUDPAddrPort(b, to) }

// Press sends a key as telephone-event of 60 ms in one burst: three packets and three ends.
func (p *Party) Press(key byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	code := byte(strings.IndexByte("0123456789*#ABCD", key))
	unit := uint16(160)
	if p.Codec == "opus" {
		unit = 960
	}
	for i := range uint16(6) {
		payload := []byte{code, 10, 0, 0}
		if i >= 3 {
			payload[1] |= 0x80
		}
		binary.BigEndian.PutUint16(payload[2:], unit*min(i+1, 3))
		p.sendAs(p.eventPT, i == 0, p.ts, payload)
	}
	p.ts += 3 * uint32(unit)
}

func (p *Party) receive() {
	buf := make([]byte, 2048)
	for {
		n, _, err := p.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			select {
			case <-p.stop:
				return
			default:
				continue
			}
		}
		p.keep(append([]byte(nil), buf[:n]...))
	}
}

func (p *Party) keep(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(b) < 12 || b[0]>>6 != 2 {
		return
	}
	if b[1] >= 192 && b[1] <= 223 {
		p.rtcp = append(p.rtcp, b)
		return
	}
	if p.rx != nil {
		out, err := p.rx.DecryptRTP(nil, b, nil)
		if err != nil {
			return
		}
		b = out
	}
	pkt := Packet{PT: b[1] & 0x7f, Marker: b[1]&0x80 != 0, Seq: binary.BigEndian.Uint16(b[2:]),
		TS: binary.BigEndian.Uint32(b[4:]), SSRC: binary.BigEndian.Uint32(b[8:]), Payload: b[12:], At: time.Now()}
	p.packets = append(p.packets, pkt)
	buf := make([]int16, 2*len(pkt.Payload))
	switch {
	case pkt.PT == EventPT || pkt.PT == p.eventPT:
		p.keys = append(p.keys, pkt)
	case p.Codec == "PCMU":
		p.samples = append(p.samples, codec.DecodeMu(buf, pkt.Payload)...)
	case p.Codec == "PCMA":
		p.samples = append(p.samples, codec.DecodeA(buf, pkt.Payload)...)
	case p.Codec == "G722":
		p.samples = append(p.samples, p.dec.Decode(buf, pkt.Payload)...)
	}
}

// Rate is the sampling rate of its codec, Hz.
func (p *Party) Rate() int {
	if p.Codec == "G722" {
		return 16000
	}
	return 8000
}

// Heard is all audio that it received.
func (p *Party) Heard() []int16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]int16(nil), p.samples...)
}

// Packets are all RTP packets that it received.
func (p *Party) Packets() []Packet {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Packet(nil), p.packets...)
}

// Keys are the telephone-event packets that it received.
func (p *Party) Keys() []Packet {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Packet(nil), p.keys...)
}

// RTCP are the RTCP packets that came to its RTP port.
func (p *Party) RTCP() [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([][]byte(nil), p.rtcp...)
}

// Forget drops what was received.
func (p *Party) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.samples, p.packets, p.keys = nil, nil, nil
}

// Hears waits until it hears a tone, for so long at most.
func (p *Party) Hears(freq float64, patience time.Duration) bool {
	return Eventually(patience, func() bool { return Hears(p.Heard(), p.Rate(), freq) })
}

// Eventually asks until the answer is yes or patience is at its end.
func Eventually(patience time.Duration, ok func() bool) bool {
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if ok() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}
