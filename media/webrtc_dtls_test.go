package media

import (
	"errors"
	"net"
	"os"
	"slices"
	"testing"
	"time"
)

// record is a DTLS record of this type and epoch.
func record(kind, epoch byte, body string) []byte {
	return append([]byte{kind, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 1, 0, byte(len(body))}, body...)
}

func TestPipePassesRecordsOneByOne(t *testing.T) {
	const alert, change, handshake = 21, 20, 22
	key, ccs, finished := record(handshake, 0, "key"), record(change, 0, "x"), record(handshake, 1, "finished")
	cases := map[string]struct{ datagrams, want [][]byte }{
		"one datagram":       {[][]byte{slices.Concat(key, ccs, finished)}, [][]byte{key, ccs, finished}},
		"old association":    {[][]byte{record(alert, 1, "bye"), key}, [][]byte{key}},
		"out of order":       {[][]byte{finished, key, ccs, finished}, [][]byte{key, ccs, finished}},
		"cut short":          {[][]byte{slices.Concat(key, ccs[:13])}, [][]byte{key}},
		"shorter than a row": {[][]byte{key[:5], {22}}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := newDTLSPipe(nil)
			for _, d := range c.datagrams {
				p.push(d)
			}
			var got [][]byte
			for len(p.in) > 0 {
				buf := make([]byte, 100)
				n, _, err := p.ReadFrom(buf)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, buf[:n])
			}
			if !slices.EqualFunc(got, c.want, slices.Equal) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPipeEndsReads(t *testing.T) {
	p := newDTLSPipe(nil)
	for range 10 * dtlsBacklog {
		p.push(record(22, 0, "flood")) // must not block
	}
	for len(p.in) > 0 {
		<-p.in
	}
	_ = p.SetReadDeadline(time.Now().Add(-time.Second))
	if _, _, err := p.ReadFrom(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
	_ = p.SetReadDeadline(time.Time{})
	_ = p.Close()
	_ = p.Close()
	if _, _, err := p.ReadFrom(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestVerify(t *testing.T) {
	id, err := newDTLSIdentity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := newDTLSIdentity()
	if err != nil {
		t.Fatal(err)
	}
	good, bad := certHash{"sha-256", id.fingerprint}, certHash{"sha-256", other.fingerprint}
	strong, err := certFingerprint(id.cert.Leaf, "SHA-512")
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name string
		want []certHash
		raw  [][]byte
		ok   bool
	}{
		{"the one", []certHash{good}, id.cert.Certificate, true},
		{"one of two", []certHash{bad, good}, id.cert.Certificate, true},
		{"another hash", []certHash{{"sha-512", strong}}, id.cert.Certificate, true},
		{"another", []certHash{bad}, id.cert.Certificate, false},
		{"unknown hash", []certHash{{"sha-0", good.value}}, id.cert.Certificate, false},
		{"no certificate", []certHash{good}, nil, false},
		{"not a certificate", []certHash{good}, [][]byte{{1, 2}}, false},
	}
	for _, c := range cases {
		if err := verify(c.want, c.raw); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
