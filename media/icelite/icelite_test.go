package icelite

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inbox is a Handler that keeps what it is told.
type inbox struct {
	packets chan string
	lost    chan struct{}
}

func newInbox() *inbox { return &inbox{make(chan string, 64), make(chan struct{}, 2)} }

func (i *inbox) Packet(b []byte) { i.packets <- string(b) }
func (i *inbox) Lost()           { i.lost <- struct{}{} }

func listen(t *testing.T, cfg Config) *Mux {
	t.Helper()
	if cfg.UDP == "" {
		cfg.UDP = "127.0.0.1:0"
	}
	m, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func newAgent(t *testing.T, m *Mux, h Handler) *Agent {
	t.Helper()
	a, err := m.NewAgent(h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// browser is a full ICE agent that takes the controlling role.
func browser(t *testing.T, m *Mux, a *Agent, network ice.NetworkType) (*ice.Agent, *ice.Conn) {
	t.Helper()
	full, err := ice.NewAgentWithOptions(
		ice.WithNetworkTypes([]ice.NetworkType{network}), ice.WithIncludeLoopback(),
		ice.WithInterfaceFilter(func(name string) bool { return name == "lo" }),
		ice.WithMulticastDNSMode(ice.MulticastDNSModeDisabled))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = full.Close() })
	if err := full.OnCandidate(func(ice.Candidate) {}); err != nil {
		t.Fatal(err)
	}
	if err := full.GatherCandidates(); err != nil {
		t.Fatal(err)
	}
	for _, c := range m.Candidates() {
		cand, err := ice.UnmarshalCandidate(c.String())
		if err != nil {
			t.Fatal(err)
		}
		if cand.NetworkType() == network {
			if err := full.AddRemoteCandidate(cand); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ufrag, pwd := a.Credentials()
	conn, err := full.Dial(ctx, ufrag, pwd)
	if err != nil {
		t.Fatal(err)
	}
	return full, conn
}

func expect(t *testing.T, ch <-chan string, want string) {
	t.Helper()
	select {
	case got := <-ch:
		if got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	case <-time.After(5 * time.Second):
		t.Fatalf("%q did not come", want)
	}
}

func exchange(t *testing.T, a *Agent, in *inbox, conn net.Conn) {
	t.Helper()
	if _, err := conn.Write([]byte("\x80 from the browser")); err != nil {
		t.Fatal(err)
	}
	expect(t, in.packets, "\x80 from the browser")
	if err := a.Write([]byte("\x80 from the server")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := conn.Read(buf)
	if err != nil || string(buf[:n]) != "\x80 from the server" {
		t.Fatalf("browser read %q, %v", buf[:n], err)
	}
}

func TestFullAgentConnects(t *testing.T) {
	for name, network := range map[string]ice.NetworkType{"udp": ice.NetworkTypeUDP4, "tcp": ice.NetworkTypeTCP4} {
		t.Run(name, func(t *testing.T) {
			m := listen(t, Config{TCP: "127.0.0.1:0"})
			in := newInbox()
			a := newAgent(t, m, in)
			_, conn := browser(t, m, a, network)
			exchange(t, a, in, conn)
		})
	}
}

func TestManyAgentsShareThePort(t *testing.T) {
	m := listen(t, Config{})
	for range 5 {
		in := newInbox()
		a := newAgent(t, m, in)
		_, conn := browser(t, m, a, ice.NetworkTypeUDP4)
		exchange(t, a, in, conn)
	}
}

func TestRestartKeepsMediaAndTakesNewCredentials(t *testing.T) {
	m := listen(t, Config{})
	in := newInbox()
	a := newAgent(t, m, in)
	_, conn := browser(t, m, a, ice.NetworkTypeUDP4)
	exchange(t, a, in, conn)
	before, _ := a.Credentials()
	if err := a.Restart(); err != nil {
		t.Fatal(err)
	}
	if after, _ := a.Credentials(); after == before {
		t.Fatal("the restart kept the credentials")
	}
	exchange(t, a, in, conn)
	_, second := browser(t, m, a, ice.NetworkTypeUDP4)
	exchange(t, a, in, second)
}

// check sends one request and returns the answer, nil when none came.
func check(t *testing.T, m *Mux, from *net.UDPConn, setters ...stun.Setter) *stun.Message {
	t.Helper()
	req, err := stun.Build(append([]stun.Setter{stun.TransactionID, stun.BindingRequest}, setters...)...)
	if err != nil {
		t.Fatal(err)
	}
	return ask(t, m, from, req.Raw)
}

func ask(t *testing.T, m *Mux, from *net.UDPConn, raw []byte) *stun.Message {
	t.Helper()
	if _, err := from.WriteToUDPAddrPort(raw, m.Addr()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, maxPacket)
	_ = from.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	n, err := from.Read(buf)
	if err != nil {
		return nil
	}
	answer := new(stun.Message)
	if err := stun.Decode(buf[:n], answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func client(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestStrangersAreNotAnswered(t *testing.T) {
	m := listen(t, Config{})
	in := newInbox()
	a := newAgent(t, m, in)
	ufrag, pwd := a.Credentials()
	key := stun.NewShortTermIntegrity(pwd)
	c := client(t)
	cases := map[string][]stun.Setter{
		"no username":      {key, stun.Fingerprint},
		"unknown username": {stun.NewUsername("nobody:x"), key, stun.Fingerprint},
		"wrong password":   {stun.NewUsername(ufrag + ":x"), stun.NewShortTermIntegrity("guess"), stun.Fingerprint},
		"no integrity":     {stun.NewUsername(ufrag + ":x"), stun.Fingerprint},
		"not a request":    {stun.NewType(stun.MethodBinding, stun.ClassIndication), stun.NewUsername(ufrag + ":x"), key},
	}
	for name, setters := range cases {
		if answer := check(t, m, c, setters...); answer != nil {
			t.Errorf("%s: answered with %v", name, answer)
		}
	}
	if _, err := c.WriteToUDPAddrPort([]byte("\x80 media from nowhere"), m.Addr()); err != nil {
		t.Fatal(err)
	}
	if err := a.Write([]byte("x")); err != ErrNoPath {
		t.Errorf("Write without a path: %v", err)
	}
	if len(in.packets) != 0 {
		t.Error("a packet of a stranger was delivered")
	}
}

func TestGoodCheckIsAnswered(t *testing.T) {
	m := listen(t, Config{})
	a := newAgent(t, m, newInbox())
	ufrag, pwd := a.Credentials()
	key := stun.NewShortTermIntegrity(pwd)
	c := client(t)
	answer := check(t, m, c, stun.NewUsername(ufrag+":x"), key, stun.Fingerprint)
	if answer == nil || answer.Type != stun.BindingSuccess {
		t.Fatalf("answer %v", answer)
	}
	if err := key.Check(answer); err != nil {
		t.Error(err)
	}
	var mapped stun.XORMappedAddress
	if err := mapped.GetFrom(answer); err != nil || mapped.String() != c.LocalAddr().String() {
		t.Errorf("mapped %v, %v; want %v", mapped, err, c.LocalAddr())
	}
}

func TestRoleConflict(t *testing.T) {
	m := listen(t, Config{})
	a := newAgent(t, m, newInbox())
	ufrag, pwd := a.Credentials()
	controlled := stun.RawAttribute{Type: stun.AttrICEControlled, Value: make([]byte, 8)}
	answer := check(t, m, client(t), stun.NewUsername(ufrag+":x"), controlled, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)
	if answer == nil || answer.Type != stun.BindingError {
		t.Fatalf("answer %v", answer)
	}
	var code stun.ErrorCodeAttribute
	if err := code.GetFrom(answer); err != nil || code.Code != stun.CodeRoleConflict {
		t.Errorf("code %v, %v", code, err)
	}
}

func nominate(priority byte) []stun.Setter {
	return []stun.Setter{
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{priority, 0, 0, 0}},
		stun.RawAttribute{Type: stun.AttrUseCandidate},
	}
}

func TestSelection(t *testing.T) {
	m := listen(t, Config{})
	a := newAgent(t, m, newInbox())
	ufrag, pwd := a.Credentials()
	name, key := stun.NewUsername(ufrag+":x"), stun.NewShortTermIntegrity(pwd)
	first, low, high := client(t), client(t), client(t)
	from := func(c *net.UDPConn, more ...stun.Setter) netip.AddrPort {
		set := append([]stun.Setter{name}, more...)
		if check(t, m, c, append(set, key, stun.Fingerprint)...) == nil {
			t.Fatal("no answer")
		}
		return a.Remote()
	}
	at := func(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }
	steps := []struct {
		what string
		got  netip.AddrPort
		want *net.UDPConn
	}{
		{"the first path that works", from(first), first},
		{"any nominated one instead", from(low, nominate(1)...), low},
		{"not one that is only checked", from(first), low},
		{"a nominated one of higher priority", from(high, nominate(2)...), high},
		{"not back to a lower one while the higher lives", from(low, nominate(1)...), high},
	}
	for _, s := range steps {
		if s.got != at(s.want) {
			t.Errorf("%s: selected %v, want %v", s.what, s.got, at(s.want))
		}
	}
}

func TestPathsAreBounded(t *testing.T) {
	m := listen(t, Config{})
	a := newAgent(t, m, newInbox())
	ufrag, pwd := a.Credentials()
	for range 3 * maxPaths {
		c := client(t)
		check(t, m, c, stun.NewUsername(ufrag+":x"), stun.NewShortTermIntegrity(pwd), stun.Fingerprint)
	}
	if n := pathCount(m); n != maxPaths {
		t.Errorf("%d paths, want %d", n, maxPaths)
	}
	a.Close()
	if n := pathCount(m); n != 0 {
		t.Errorf("%d paths after Close", n)
	}
	if m.agent(ufrag) != nil {
		t.Error("the closed agent is still known")
	}
}

func pathCount(m *Mux) int {
	s := m.udp.all[0].(*udpSocket)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.paths)
}

func TestLostIsToldOnce(t *testing.T) {
	m := listen(t, Config{LostAfter: time.Minute})
	in := newInbox()
	a := newAgent(t, m, in)
	a.checkSilence(m.now() + time.Hour)
	if len(in.lost) != 0 {
		t.Fatal("lost before it was ever heard")
	}
	ufrag, pwd := a.Credentials()
	check(t, m, client(t), stun.NewUsername(ufrag+":x"), stun.NewShortTermIntegrity(pwd), stun.Fingerprint)
	a.checkSilence(m.now() + 59*time.Second)
	if len(in.lost) != 0 {
		t.Fatal("lost too early")
	}
	a.checkSilence(m.now() + 61*time.Second)
	a.checkSilence(m.now() + 62*time.Second)
	if len(in.lost) != 1 {
		t.Fatalf("told %d times", len(in.lost))
	}
	if err := a.Write([]byte("x")); err != ErrNoPath {
		t.Errorf("it still sends: %v", err)
	}
}

func TestStrangersOnTCPAreFew(t *testing.T) {
	m := listen(t, Config{TCP: "127.0.0.1:0"})
	in := newInbox()
	a := newAgent(t, m, in)
	at := m.tcp.addrs()[0].String()
	var idle []net.Conn
	for range tcpPerAddress + 1 {
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
	}
	last := idle[tcpPerAddress]
	_ = last.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := last.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("one stranger too many reads %v, want to be closed", err)
	}
	// A frame that is too long ends a connection, and makes room.
	if _, err := idle[0].Write([]byte{0xff, 0xff}); err != nil {
		t.Fatal(err)
	}
	_ = idle[0].SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := idle[0].Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after a bad frame: %v, want to be closed", err)
	}
	_, conn := browser(t, m, a, ice.NetworkTypeTCP4)
	exchange(t, a, in, conn)
}

func FuzzPacket(f *testing.F) {
	good, _ := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername("u:x"), stun.NewShortTermIntegrity("p"), stun.Fingerprint)
	f.Add(good.Raw)
	f.Add([]byte{0})
	m, err := Listen(Config{UDP: "127.0.0.1:0"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(m.Close)
	key := stun.NewShortTermIntegrity("p")
	a := &Agent{mux: m, h: newInbox(), keys: map[string]*stun.MessageIntegrity{"u": &key}}
	if err := m.register("u", a); err != nil {
		f.Fatal(err)
	}
	msg := new(stun.Message)
	from := netip.MustParseAddrPort("127.0.0.1:9")
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 0 && isSTUN(b) {
			m.check(msg, b, nowhere{}, from)
		}
	})
}

type nowhere struct{}

func (nowhere) write([]byte, netip.AddrPort) error { return nil }
func (nowhere) setPath(*path)                      {}
func (nowhere) dropPath(*path)                     {}
