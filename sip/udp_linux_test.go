package sip

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// A raw socket says the same as the one of package net beneath it, for both families and for IPv4 on an IPv6 socket.
func TestRawSocketCarries(t *testing.T) {
	for _, test := range []struct{ name, listen, toward string }{
		{"IPv4", "127.0.0.1:0", "127.0.0.1"}, {"IPv6", "[::1]:0", "::1"}, {"both", "[::]:0", "127.0.0.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			plain, err := net.ListenPacket("udp", test.listen)
			if err != nil {
				t.Fatal(err)
			}
			defer plain.Close()
			raw := rawSocket(plain.(*net.UDPConn))
			port := plain.LocalAddr().(*net.UDPAddr).Port
			peer, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.ParseIP(test.toward), Port: port})
			if err != nil {
				t.Fatal(err)
			}
			defer peer.Close()
			var buf [100]byte
			for _, text := range []string{"one", "two", "three"} {
				if _, err := peer.Write([]byte(text)); err != nil {
					t.Fatal(err)
				}
				n, from, err := raw.ReadFrom(buf[:])
				if err != nil || string(buf[:n]) != text || from.String() != peer.LocalAddr().String() {
					t.Fatalf("read %q from %v: %v; want %q from %v", buf[:n], from, err, text, peer.LocalAddr())
				}
				if n, err := raw.WriteTo([]byte(text+" back"), from); err != nil || n != len(text)+5 {
					t.Fatalf("wrote %d: %v", n, err)
				}
				if n, err := peer.Read(buf[:]); err != nil || string(buf[:n]) != text+" back" {
					t.Fatalf("came back: %q, %v", buf[:n], err)
				}
			}
		})
	}
}

// What package net refuses, the raw socket refuses, and closing ends a read that waits.
func TestRawSocketRefuses(t *testing.T) {
	plain, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	raw := rawSocket(plain.(*net.UDPConn))
	for _, to := range []net.Addr{&net.UDPAddr{IP: net.ParseIP("2001:db8::1"), Port: 5060}, &net.TCPAddr{}, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 70000}} {
		if _, err := raw.WriteTo([]byte("x"), to); err == nil {
			t.Errorf("wrote to %v", to)
		}
	}
	if n, err := raw.WriteTo(make([]byte, 70000), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}); err == nil || n != 0 {
		t.Errorf("wrote %d bytes in one datagram", n)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, _, err := raw.ReadFrom(make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("reading a closed socket: %v", err)
		}
	})
	time.AfterFunc(time.Millisecond, func() { _ = plain.Close() })
	wg.Wait()
	if _, err := raw.WriteTo([]byte("x"), plain.LocalAddr()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("writing to a closed socket: %v", err)
	}
}

// A datagram costs no memory when its source is the one before's.
func TestRawSocketAllocatesNothing(t *testing.T) {
	plain, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	raw := rawSocket(plain.(*net.UDPConn))
	self := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(plain.LocalAddr().String()))
	b := make([]byte, 100)
	once := func() {
		if _, err := raw.WriteTo(b, self); err != nil {
			t.Fatal(err)
		}
		if _, _, err := raw.ReadFrom(b); err != nil {
			t.Fatal(err)
		}
	}
	once()
	if n := testing.AllocsPerRun(100, once); n > 1 { // a pool may be emptied by the collector at any time
		t.Errorf("%.1f allocations per datagram", n)
	}
}
