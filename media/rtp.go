package media

import "encoding/binary"

// headerLen is the length of an RTP header without CSRC and extension (RFC 3550 §5.1): the only kind that we send.
const headerLen = 12

// header is a received RTP packet taken apart. The payload is pkt[start:end]; start is at least headerLen, so that a new
// header fits in front of the payload in the same memory.
type header struct {
	pt         uint8
	marker     bool
	seq        uint16
	ts         uint32
	ssrc       uint32
	start, end int
}

// parseRTP checks version, lengths and padding (RFC 3550 §5.1, A.1).
func parseRTP(pkt []byte) (h header, ok bool) {
	if len(pkt) < headerLen || pkt[0]>>6 != 2 {
		return h, false
	}
	h.pt, h.marker = pkt[1]&0x7f, pkt[1]&0x80 != 0
	h.seq = binary.BigEndian.Uint16(pkt[2:])
	h.ts = binary.BigEndian.Uint32(pkt[4:])
	h.ssrc = binary.BigEndian.Uint32(pkt[8:])
	h.start = headerLen + 4*int(pkt[0]&0x0f)
	h.end = len(pkt)
	if pkt[0]&0x10 != 0 { // extension, RFC 3550 §5.3.1
		if len(pkt) < h.start+4 {
			return h, false
		}
		h.start += 4 + 4*int(binary.BigEndian.Uint16(pkt[h.start+2:]))
	}
	if pkt[0]&0x20 != 0 { // padding: the last octet counts it, itself included
		pad := int(pkt[len(pkt)-1])
		if pad == 0 {
			return h, false
		}
		h.end -= pad
	}
	return h, h.start <= h.end
}

// putHeader writes a bare RTP header.
func putHeader(b []byte, pt uint8, marker bool, seq uint16, ts, ssrc uint32) {
	_ = b[headerLen-1]
	b[0] = 2 << 6
	b[1] = pt & 0x7f
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint32(b[8:], ssrc)
}

// isRTCP tells RTCP from RTP on one port (RFC 5761 §4).
func isRTCP(pkt []byte) bool { return len(pkt) >= 8 && pkt[1] >= 192 && pkt[1] <= 223 }
