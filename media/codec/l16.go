package codec

import "encoding/binary"

// L16 is what tests compare other codecs with: nothing is lost. It is not offered to anybody.

// DecodeL16 takes samples out of an L16 payload (RFC 3551 §4.5.11): 16 bits in network byte order; an odd last octet is left
// out. samples must have room for len(payload)/2.
func DecodeL16(samples []int16, payload []byte) []int16 {
	samples = samples[:len(payload)/2]
	for i := range samples {
		samples[i] = int16(binary.BigEndian.Uint16(payload[2*i:]))
	}
	return samples
}

// EncodeL16 puts samples into payload, which must have room for twice as many octets.
func EncodeL16(payload []byte, samples []int16) []byte {
	payload = payload[:2*len(samples)]
	for i, s := range samples {
		binary.BigEndian.PutUint16(payload[2*i:], uint16(s))
	}
	return payload
}
