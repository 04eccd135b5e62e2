package codec

import "testing"

// TestL16: nothing is lost, and the octets are in network byte order.
func TestL16(t *testing.T) {
	in := make([]int16, 1<<16)
	for i := range in {
		in[i] = int16(i)
	}
	code := EncodeL16(make([]byte, 2<<16), in)
	if code[2*0x1234] != 0x12 || code[2*0x1234+1] != 0x34 {
		t.Errorf("0x1234 is sent as %x", code[2*0x1234:2*0x1234+2])
	}
	for i, v := range DecodeL16(make([]int16, 1<<16), code) {
		if v != in[i] {
			t.Fatalf("%d comes back as %d", in[i], v)
		}
	}
	if got := DecodeL16(make([]int16, 2), []byte{1, 2, 3}); len(got) != 1 {
		t.Errorf("three octets are %d samples", len(got))
	}
}
