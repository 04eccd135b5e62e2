package media

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"strowger/media/mediatest"
)

// inbox is a reader that keeps what comes.
type inbox struct {
	mu   sync.Mutex
	got  []string
	from []netip.AddrPort
}

func (i *inbox) datagram(b []byte, from netip.AddrPort, _ time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.got, i.from = append(i.got, string(b)), append(i.from, from)
}

func (i *inbox) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.got)
}

// eachTransport runs a test on both implementations, for both families.
func eachTransport(t *testing.T, test func(t *testing.T, tr transport, ip netip.Addr)) {
	now := func() time.Duration { return 1 }
	for _, ip := range []netip.Addr{loopback, netip.IPv6Loopback()} {
		for _, make := range []func() (transport, error){
			func() (transport, error) { return newTransport(now) },
			func() (transport, error) { return &netTransport{now: now}, nil },
		} {
			tr, err := make()
			if err != nil {
				t.Fatal(err)
			}
			t.Run(ip.String(), func(t *testing.T) { test(t, tr, ip) })
			tr.close()
		}
	}
}

func listen(t *testing.T, tr transport, ip netip.Addr, r reader) (socket, netip.AddrPort) {
	t.Helper()
	s, err := tr.listen(netip.AddrPortFrom(ip, 0), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s, netip.AddrPortFrom(ip, uint16(s.port()))
}

func TestTransportCarries(t *testing.T) {
	eachTransport(t, func(t *testing.T, tr transport, ip netip.Addr) {
		var in inbox
		a, at := listen(t, tr, ip, &in)
		b, bt := listen(t, tr, ip, &inbox{})
		for range 3 {
			b.send([]byte("hello"), at)
		}
		b.connect(at)
		b.send([]byte("hello"), at)
		b.connect(netip.AddrPort{})
		b.send([]byte("hello"), at)
		if !mediatest.Eventually(patience, func() bool { return in.count() == 5 }) {
			t.Fatalf("%d of 5 datagrams came", in.count())
		}
		for i := range in.got {
			if in.got[i] != "hello" || in.from[i] != bt {
				t.Errorf("%q from %v, want it from %v", in.got[i], in.from[i], bt)
			}
		}
		a.close()
		a.close() // twice is allowed
		a.send([]byte("late"), bt)
	})
}

// TestTransportSurvivesICMP: a peer that is not there yet, and then is.
func TestTransportSurvivesICMP(t *testing.T) {
	eachTransport(t, func(t *testing.T, tr transport, ip netip.Addr) {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
		if err != nil {
			t.Fatal(err)
		}
		to := c.LocalAddr().(*net.UDPAddr).AddrPort()
		to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
		_ = c.Close()
		var in inbox
		a, at := listen(t, tr, ip, &in)
		a.connect(to)
		for range 5 {
			a.send([]byte("anybody?"), to)
			time.Sleep(time.Millisecond)
		}
		var back inbox
		b, err := tr.listen(to, &back)
		if err != nil {
			t.Fatal(err)
		}
		defer b.close()
		a.send([]byte("now"), to)
		b.send([]byte("yes"), at)
		if !mediatest.Eventually(patience, func() bool { return in.count() == 1 && back.count() == 1 }) {
			t.Errorf("after ICMP errors %d and %d datagrams came", in.count(), back.count())
		}
	})
}

// TestTransportReuse: sockets come and go while packets fly; none is given to the wrong reader.
func TestTransportReuse(t *testing.T) {
	eachTransport(t, func(t *testing.T, tr transport, ip netip.Addr) {
		sender, _ := listen(t, tr, ip, &inbox{})
		for range 200 {
			var in inbox
			s, err := tr.listen(netip.AddrPortFrom(ip, 0), &in)
			if err != nil {
				t.Fatal(err)
			}
			to := netip.AddrPortFrom(ip, uint16(s.port()))
			want := to.String()
			sender.send([]byte(want), to)
			sender.send([]byte(want), to)
			s.close()
			in.mu.Lock()
			for _, got := range in.got {
				if got != want {
					t.Errorf("%q was given to the reader of %q", got, want)
				}
			}
			in.mu.Unlock()
		}
	})
}

func TestPortRange(t *testing.T) {
	e, err := NewEngine(Config{BindIP: loopback, RTPMin: 31001, RTPMax: 31008})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var open []*Session
	seen := map[int]bool{}
	for range 3 {
		s, err := e.NewSession(Options{})
		if err != nil {
			t.Fatal(err)
		}
		port := s.link.(*rtpLink).rtp.port()
		if port&1 != 0 || port < 31002 || port > 31006 || seen[port] {
			t.Errorf("port %d", port)
		}
		seen[port] = true
		open = append(open, s)
	}
	if _, err := e.NewSession(Options{}); !errors.Is(err, errNoPorts) {
		t.Errorf("a fourth session in three pairs of ports: %v", err)
	}
	open[1].Close()
	if _, err := e.NewSession(Options{}); err != nil {
		t.Errorf("after one was closed: %v", err)
	}
}

func TestConfigErrors(t *testing.T) {
	for _, c := range []Config{
		{},
		{BindIP: loopback, RTPMin: 80, RTPMax: 90},
		{BindIP: loopback, RTPMin: 4000, RTPMax: 4000},
		{BindIP: loopback, RTPMin: 40000, RTPMax: 70000},
	} {
		if e, err := NewEngine(c); err == nil {
			e.Close()
			t.Errorf("%+v is taken", c)
		}
	}
}
